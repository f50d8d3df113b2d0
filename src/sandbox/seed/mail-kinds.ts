import type { SeedPart } from '../types.ts'

export const SENDERS: readonly string[] = [
  'Zoë Ångström <zoe@partner.example>',
  'Chen Wei 陈伟 <chen@partner.example>',
  'shop@store.example',
  '"Lee, Sam" <sam@partner.example>',
  'Ольга Петрова <olga@partner.example>',
]

export const SUBJECTS: readonly string[] = [
  'Quarterly figures',
  'Ré: déjà vu',
  'Your order #4711 has shipped',
  '会議の議事録',
  'Größe & Maß "final"',
  '',
  'Lunch on Friday? 🍜',
]

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

/** The content of message `number`: kinds take turns. */
export function bodyFor(
  number: number,
  subject: string,
): { readonly root: SeedPart; readonly snippet: string } {
  const text = `Hello, this is message ${number} about "${subject}". Grüße & thanks, it's all here.`
  const plain: SeedPart = { type: 'text/plain; charset="UTF-8"', content: `${text}\r\n` }
  const html: SeedPart = {
    type: 'text/html; charset="UTF-8"',
    content: `<div dir="ltr"><p>${escapeText(text)}</p></div>`,
  }
  const alternative: SeedPart = { type: 'multipart/alternative', parts: [plain, html] }
  const snippet = text.slice(0, 180)
  switch (number % 10) {
    case 1:
      return { root: plain, snippet }
    case 2:
      return { root: html, snippet }
    case 3:
      return { root: { type: 'multipart/mixed', parts: [alternative, pdf(number)] }, snippet }
    case 4:
      return { root: { type: 'multipart/related', parts: [withImage(html, number), image(number)] }, snippet }
    case 5:
      return broken(number, snippet)
    case 6:
      return { root: { type: 'multipart/mixed', parts: [plain, invitation(), forwarded(number)] }, snippet }
    case 7:
      // The header names a charset that Gmail has undone already.
      return { root: { ...plain, type: 'text/plain; charset="iso-8859-1"' }, snippet }
    default:
      return { root: alternative, snippet }
  }
}

function pdf(number: number): SeedPart {
  return {
    type: 'application/pdf',
    filename: `Übersicht ${number}.pdf`,
    disposition: 'attachment',
    content: `%PDF-1.4 ${'x'.repeat(200 + number)}`,
  }
}

function image(number: number): SeedPart {
  return {
    type: 'image/png',
    filename: 'chart.png',
    disposition: 'inline',
    contentId: `chart${number}@sandbox`,
    content: PNG,
  }
}

function withImage(html: SeedPart, number: number): SeedPart {
  return { ...html, content: `${String(html.content)}<img src="cid:chart${number}@sandbox">` }
}

function invitation(): SeedPart {
  return {
    type: 'text/calendar; method=REQUEST',
    content: 'BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n',
  }
}

function forwarded(number: number): SeedPart {
  return {
    type: 'message/rfc822',
    filename: `forwarded-${number}.eml`,
    disposition: 'attachment',
    content: 'From: a@partner.example\r\nSubject: inner\r\n\r\n<b>inner</b>\r\n',
  }
}

/** Mail that keeps no rule: nothing in it, or bytes that are no UTF-8 under a made-up charset. */
function broken(number: number, snippet: string): { readonly root: SeedPart; readonly snippet: string } {
  if (number % 20 === 5) return { root: { type: 'text/plain', content: '' }, snippet: '' }
  return {
    root: {
      type: 'text/html; charset=x-nonsense',
      content: Buffer.from([0x3c, 0x70, 0x3e, 0xff, 0xfe, 0x80]),
    },
    snippet,
  }
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
