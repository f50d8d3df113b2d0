/** Changes headers of a source in place of the bytes: everything else stays as it came. */

/** Leaves every header of that name out, continuation lines too. */
export function withoutHeader(source: Buffer, name: string): Buffer {
  const { head, rest } = split(source)
  const pattern = new RegExp(`^${name}[ \\t]*:.*\\r?\\n(?:[ \\t].*\\r?\\n)*`, 'gim')
  return Buffer.concat([Buffer.from(head.replace(pattern, ''), 'latin1'), rest])
}

/** Puts a header in the place of those of that name; the value is ASCII. */
export function withHeader(source: Buffer, name: string, value: string): Buffer {
  return Buffer.concat([Buffer.from(`${name}: ${value}\r\n`), withoutHeader(source, name)])
}

function split(source: Buffer): { readonly head: string; readonly rest: Buffer } {
  const ends = ['\r\n\r\n', '\n\n'].map((end) => ({ at: source.indexOf(end), length: end.length }))
  const end = ends.filter(({ at }) => at !== -1).toSorted((one, other) => one.at - other.at)[0]
  if (!end) return { head: `${source.toString('latin1')}\r\n`, rest: Buffer.alloc(0) }
  const start = end.at + end.length / 2
  return { head: source.toString('latin1', 0, start), rest: source.subarray(start) }
}
