import type { SeedMessage, SeedPart } from '../types.ts'

/** Writes the RFC 5322 source of a message: encoded words, base64 bodies, nested multiparts. */
export function writeSource(message: SeedMessage): Buffer {
  const head = message.headers.map(([name, value]) => `${name}: ${encodeHeader(value)}`)
  return Buffer.from([...head, 'MIME-Version: 1.0', writePart(message.root, message.id)].join('\r\n'))
}

function writePart(part: SeedPart, boundary: string): string {
  if (part.parts) {
    const inner = part.parts.map(
      (child, index) => `--${boundary}\r\n${writePart(child, `${boundary}.${index}`)}\r\n`,
    )
    return `Content-Type: ${part.type}; boundary="${boundary}"\r\n\r\n${inner.join('')}--${boundary}--\r\n`
  }
  const name = part.filename === undefined ? '' : `; filename*=UTF-8''${encodeURIComponent(part.filename)}`
  const head = [
    `Content-Type: ${part.type}`,
    'Content-Transfer-Encoding: base64',
    ...(part.disposition ? [`Content-Disposition: ${part.disposition}${name}`] : []),
    ...(part.contentId ? [`Content-ID: <${part.contentId}>`] : []),
  ]
  const lines =
    Buffer.from(part.content ?? '')
      .toString('base64')
      .match(/.{1,76}/g) ?? []
  return `${head.join('\r\n')}\r\n\r\n${lines.join('\r\n')}`
}

/** RFC 2047 for everything beyond ASCII; the address behind a name stays as it is. */
function encodeHeader(value: string): string {
  return value.replace(/(?:"[^"]*[^\x20-\x7e][^"]*"|[^\s<>,]*[^\x20-\x7e][^<>,]*)/g, (text) => {
    const [, space = ''] = /(\s*)$/.exec(text) ?? []
    const words = text.trim().replace(/^"(.*)"$/, '$1')
    return `=?UTF-8?B?${Buffer.from(words).toString('base64')}?=${space}`
  })
}
