import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { OutgoingAttachment, OutgoingMessage } from '../../src/core/ports/outgoing.ts'

/** A message that is hard to write, send or store without loss. */
export interface HardMessage {
  readonly name: string
  readonly message: OutgoingMessage
  /** about 20 MB */
  readonly isLarge: boolean
  /** needs SMTPUTF8: an address with a UTF-8 local part */
  readonly needsUtf8Addresses: boolean
}

const SENDER = { email: 'alice@testworld.example', name: 'Alice' }
const DATE = 1_780_000_000

/** A file of given bytes. */
export function file(
  filename: string,
  contentType: string,
  content: string | Uint8Array,
  more: Partial<OutgoingAttachment> = {},
): OutgoingAttachment {
  const bytes = Buffer.from(content)
  return {
    filename,
    contentType,
    isInline: false,
    sizeBytes: bytes.length,
    open: () => Readable.from(bytes.length === 0 ? [] : [bytes]),
    ...more,
  }
}

/** Bytes that look random and are the same each time. */
export function noise(sizeBytes: number, seed = 'noise'): Buffer {
  const blocks: Buffer[] = []
  for (let at = 0; at * 32 < sizeBytes; at += 1) {
    blocks.push(createHash('sha256').update(`${seed} ${at}`).digest())
  }
  return Buffer.concat(blocks).subarray(0, sizeBytes)
}

/** A file that is made while it is read, and never whole in memory. */
export function streamedFile(filename: string, sizeBytes: number): OutgoingAttachment {
  const block = noise(64 * 1024)
  function* blocks() {
    for (let left = sizeBytes; left > 0; left -= block.length) yield block.subarray(0, left)
  }
  return {
    filename,
    contentType: 'application/octet-stream',
    isInline: false,
    sizeBytes,
    open: () => Readable.from(blocks(), { objectMode: false }),
  }
}

const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)
const inlinePixel = (contentId: string, filename = 'pixel.png') =>
  file(filename, 'image/png', PIXEL, { contentId, isInline: true })
const ATTACHED_MAIL = [
  'From: carol@elsewhere.example',
  'To: alice@testworld.example',
  'Subject: =?utf-8?Q?Inner_=C3=BC?=',
  'Date: Mon, 05 Jan 2026 10:00:00 +0000',
  'Message-ID: <inner@elsewhere.example>',
  'MIME-Version: 1.0',
  'Content-Type: text/plain; charset=utf-8',
  'Content-Transfer-Encoding: 8bit',
  '',
  'Grüße von innen',
  '',
].join('\r\n')
const INVITATION = [
  'BEGIN:VCALENDAR',
  'VERSION:2.0',
  'METHOD:REQUEST',
  'BEGIN:VEVENT',
  'UID:hard@testworld.example',
  'DTSTAMP:20260105T100000Z',
  'DTSTART:20260106T100000Z',
  'SUMMARY:Besprechung über Käse',
  'END:VEVENT',
  'END:VCALENDAR',
  '',
].join('\r\n')
const many = (count: number, domain: string) =>
  Array.from({ length: count }, (_, at) => ({ email: `r${at}@${domain}`, name: `Recipient ${at}` }))

const CASES: readonly (readonly [name: string, message: Partial<OutgoingMessage>])[] = [
  ['plain ASCII HTML', { subject: 'Hello', body: '<p>Hello</p>' }],
  ['plain text alone', { body: 'Just text\r\nin two lines\r\n', isPlaintext: true }],
  ['empty HTML body', { body: '' }],
  ['empty plain body', { body: '', isPlaintext: true }],
  ['empty subject', { subject: '', body: '<p>no subject</p>' }],
  ['body of blanks', { body: '   \r\n \r\n', isPlaintext: true }],
  ['umlauts in subject and body', { subject: 'Grüße aus Köln', body: '<p>Schöne Grüße</p>' }],
  [
    'emoji everywhere',
    { subject: '🎉 Party 👩‍👩‍👧‍👦', body: '<p>🎉🎊</p>', from: { ...SENDER, name: 'Ali 🎉' } },
  ],
  ['Japanese', { subject: '会議のお知らせ（重要）', body: '<p>よろしくお願いします。</p>' }],
  ['Arabic and Hebrew', { subject: 'مرحبا שלום', body: '<p dir="rtl">مرحبا</p>' }],
  ['long subject', { subject: 'A long subject that goes on '.repeat(30).trim(), body: '<p>x</p>' }],
  ['long subject with umlauts', { subject: 'Überlänge mit Ümläuten '.repeat(30).trim(), body: '<p>x</p>' }],
  ['subject that looks encoded', { subject: '=? not ?= encoded ?=', body: '<p>x</p>' }],
  ['subject with quotes and angle brackets', { subject: '"Re:" <a@b> (c) \\ d; e', body: '<p>x</p>' }],
  ['subject with a tab', { subject: 'one two', body: '<p>tab</p>' }],
  ['long line of ASCII', { body: 'x'.repeat(5000), isPlaintext: true }],
  ['long line of UTF-8', { body: 'ü'.repeat(3000), isPlaintext: true }],
  ['long line of HTML', { body: `<p>${'<b>word</b> '.repeat(2000)}</p>` }],
  ['dots at line beginnings', { body: '.\r\n..\r\n.a\r\n...\r\nend\r\n.', isPlaintext: true }],
  ['lines of dots in HTML', { body: '<pre>\r\n.\r\n..\r\n.hidden\r\n</pre>' }],
  ['From at line beginnings', { body: 'From here\r\n>From there\r\nFrom \r\n', isPlaintext: true }],
  ['trailing blanks', { body: 'with blank \r\nwith tab\t\r\nend ', isPlaintext: true }],
  ['equals signs and boundaries', { body: '=3D = =\r\n--_NmP\r\n----boundary--\r\n', isPlaintext: true }],
  ['names with quotes and commas', { from: { ...SENDER, name: 'Moreau, "Ada" \\ (x)' }, body: '<p>x</p>' }],
  [
    'names with umlauts in every field',
    {
      from: { ...SENDER, name: 'Jürgen Müßig' },
      to: [{ email: 'b@elsewhere.example', name: 'Björn Ångström' }],
      cc: [{ email: 'c@elsewhere.example', name: '田中 太郎' }],
      replyTo: [{ email: 'reply@elsewhere.example', name: 'Größe, Käthe' }],
      body: '<p>x</p>',
    },
  ],
  [
    'very long name',
    { to: [{ email: 'b@elsewhere.example', name: 'Ein sehr langer Name '.repeat(20).trim() }] },
  ],
  ['name that looks like an address', { to: [{ email: 'b@elsewhere.example', name: 'ceo@bank.example' }] }],
  [
    'forty recipients',
    { to: many(20, 'elsewhere.example'), cc: many(20, 'third.example'), body: '<p>x</p>' },
  ],
  ['blind copies', { bcc: [{ email: 'hidden@elsewhere.example', name: 'Hid Den' }], body: '<p>bcc</p>' }],
  ['several reply addresses', { replyTo: many(3, 'elsewhere.example'), body: '<p>x</p>' }],
  ['domain with umlauts', { to: [{ email: 'info@müller.example' }], body: '<p>idn</p>' }],
  [
    'own headers',
    {
      headers: [
        { name: 'X-Simple', value: 'yes' },
        { name: 'X-Umlaut', value: 'Grüße' },
        { name: 'X-Long', value: 'word '.repeat(100).trim() },
        {
          name: 'List-Unsubscribe',
          value: '<mailto:u@elsewhere.example>, <https://elsewhere.example/u?a=b>',
        },
      ],
      body: '<p>x</p>',
    },
  ],
  ['only a file', { body: '', attachments: [file('a.pdf', 'application/pdf', noise(1000))] }],
  [
    'plain text with a file',
    { body: 'see file', isPlaintext: true, attachments: [file('n.txt', 'text/plain', 'note\n')] },
  ],
  ['empty file', { body: '<p>x</p>', attachments: [file('empty.bin', 'application/octet-stream', '')] }],
  [
    'hard file names',
    {
      body: '<p>names</p>',
      attachments: [
        file('Überweisung für März.pdf', 'application/pdf', 'a'),
        file('日本語のファイル名.txt', 'text/plain', 'b'),
        file('quote".txt', 'text/plain', 'c'),
        file("it's; a=b, (c).txt", 'text/plain', 'd'),
        file('😀 smile.png', 'image/png', PIXEL),
        file(`${'long-'.repeat(40)}.txt`, 'text/plain', 'e'),
        file('noextension', 'application/octet-stream', 'f'),
        file('100%.txt', 'text/plain', 'g'),
      ],
    },
  ],
  [
    'two files of one name',
    { body: '<p>x</p>', attachments: [file('a.txt', 'text/plain', '1'), file('a.txt', 'text/plain', '2')] },
  ],
  ['inline image', { body: '<p><img src="cid:pixel1"></p>', attachments: [inlinePixel('pixel1')] }],
  [
    'inline images and files together',
    {
      body: '<p><img src="cid:one"><img src="cid:two"></p>',
      attachments: [
        file('a.pdf', 'application/pdf', noise(500)),
        inlinePixel('one'),
        file('b.txt', 'text/plain', 'b'),
        inlinePixel('two', 'zwei ü.png'),
      ],
    },
  ],
  ['inline image that no text shows', { body: '<p>no image</p>', attachments: [inlinePixel('unused')] }],
  [
    'content id with an @',
    { body: '<img src="cid:part1.abc@mail.example">', attachments: [inlinePixel('part1.abc@mail.example')] },
  ],
  ['inline file of a plain text', { body: 'text', isPlaintext: true, attachments: [inlinePixel('p')] }],
  [
    'attached message',
    { body: '<p>fwd</p>', attachments: [file('inner.eml', 'message/rfc822', ATTACHED_MAIL)] },
  ],
  [
    'invitation',
    {
      body: '<p>invite</p>',
      attachments: [file('invite.ics', 'text/calendar; charset="utf-8"; method=REQUEST', INVITATION)],
    },
  ],
  [
    'file type with parameters',
    {
      body: '<p>x</p>',
      attachments: [file('t.csv', 'text/csv; charset=utf-8; header=present', 'a;b\r\nä;ö\r\n')],
    },
  ],
  [
    'every byte',
    {
      body: '<p>x</p>',
      attachments: [
        file(
          'bytes.bin',
          'application/octet-stream',
          Buffer.from(Array.from({ length: 512 }, (_, at) => at % 256)),
        ),
      ],
    },
  ],
  [
    'text file with lone line ends',
    { body: '<p>x</p>', attachments: [file('ends.txt', 'text/plain', 'a\rb\nc\r\n.\r\n..\n')] },
  ],
  ['control characters in the body', { body: 'bell \u0007 and nul \u0000 end', isPlaintext: true }],
  ['no-break and zero-width blanks', { subject: 'a\u00a0b\u200bc', body: '<p>a\u00a0b\u200bc</p>' }],
  [
    'HTML with its own charset',
    { body: '<html><head><meta charset="iso-8859-1"></head><body>ü</body></html>' },
  ],
  ['20 MB', { body: '<p>large</p>', attachments: [streamedFile('large.bin', 18 * 1024 * 1024)] }],
  ['UTF-8 address', { to: [{ email: 'jürgen@elsewhere.example', name: 'Jürgen' }], body: '<p>x</p>' }],
]

/** The table: each with a Message-ID of its own that holds `run`. */
export function hardMessages(run: string): readonly HardMessage[] {
  return CASES.map(([name, message], at) => ({
    name,
    message: {
      from: SENDER,
      to: [{ email: 'b@elsewhere.example', name: 'Ben' }],
      cc: [],
      bcc: [],
      replyTo: [],
      subject: name,
      body: '<p>body</p>',
      isPlaintext: false,
      attachments: [],
      headers: [],
      messageId: `<hard-${at}-${run}@testworld.example>`,
      date: DATE + at,
      ...message,
    },
    isLarge: name === '20 MB',
    needsUtf8Addresses: name === 'UTF-8 address',
  }))
}
