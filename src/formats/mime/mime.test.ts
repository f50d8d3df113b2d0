import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeCharset } from './charset.ts'
import { decodeText, decodedSize } from './decode-text.ts'
import { decodeHeaderText, headerAddresses, parseHeaderBlock, parseParameterized } from './headers.ts'
import { parseMessage } from './parse-message.ts'
import { selectParts } from './select-parts.ts'
import { decodeTransfer } from './transfer-encoding.ts'

const latin1 = (text: string) => Buffer.from(text, 'latin1')
const decoded = (text: string, encoding: string) =>
  Buffer.from(decodeTransfer(latin1(text), encoding)).toString('utf8')

test('decodes legacy charsets, and the unknown as UTF-8 or windows-1252', () => {
  assert.equal(decodeCharset(latin1('\xd2\xd5\xd3'), 'koi8-r'), 'рус')
  assert.equal(decodeCharset(Buffer.from('1b2442467c1b2842', 'hex'), 'ISO-2022-JP'), '日')
  assert.equal(decodeCharset(latin1('\xb1\xb1'), 'gb2312'), '北')
  assert.equal(decodeCharset(latin1('\x93q\x94'), 'windows-1252'), '“q”')
  assert.equal(decodeCharset(latin1('\x81'), 'IBM850'), 'ü')
  assert.equal(decodeCharset(Buffer.from('grün'), 'nonsense-99'), 'grün')
  assert.equal(decodeCharset(latin1('gr\xfcn'), 'nonsense-99'), 'grün')
  assert.equal(decodeCharset(latin1('gr\xfcn'), undefined), 'grün')
  assert.equal(decodeCharset(latin1('+ADw-script+AD4-'), 'utf-7'), '+ADw-script+AD4-')
})

test('takes UTF-8 for what it is under the label of a single-byte charset, in texts and in encoded words', () => {
  for (const charset of ['iso-8859-1', 'ISO-8859-15', 'windows-1252', '"latin1"']) {
    assert.equal(decodeCharset(Buffer.from('Frösche €'), charset), 'Frösche €', charset)
    assert.equal(decodeCharset(latin1('Fr\xf6sche'), charset), 'Frösche', charset)
  }
  assert.equal(decodeCharset(latin1('\xb3\xf3d\xbc'), 'iso-8859-2'), 'łódź')
  assert.equal(decodeCharset(latin1('\xcf\xf0\xe8'), 'windows-1251'), 'При')
  assert.equal(decodeHeaderText('=?iso-8859-1?Q?die_Fr=C3=B6sche?= x'), 'die Frösche x')
  assert.equal(decodeHeaderText('=?iso-8859-1?Q?die_Fr=F6sche?='), 'die Frösche')
  assert.equal(decodeHeaderText('=?ISO-8859-1?B?RnLD?= =?iso-8859-1?B?tnNjaGU=?='), 'Frösche')
  assert.equal(decodeHeaderText('=?iso-8859-1?Q?=C3=B6?= =?koi8-r?Q?=D2?='), 'öр')
  assert.equal(decodeHeaderText('=?us-ascii?Q?=C3=B6?='), 'ö')
  assert.equal(decodeHeaderText('=?iso-8859-1?Q?die_Frösche?= =?iso-8859-1?Q?_=FC?= x'), 'die Frösche ü x')
})

test('undoes transfer encodings, garbage included', () => {
  assert.equal(decoded('SGVsbG8*gd29ybGQ', 'base64'), 'Hello world')
  assert.equal(decoded('YQ==\r\nYg==', 'BASE64'), 'ab')
  assert.equal(decoded('a=3D=\r\nb =C3=BC =zz =', 'quoted-printable'), 'a=b ü =zz ')
  assert.equal(decoded('begin 644 x\n#0V%T\n \nend\n', 'x-uuencode'), 'Cat')
  assert.equal(decoded('as it is', '7-bit'), 'as it is')
})

test('reads header blocks: folded, doubled, raw 8-bit, garbage lines', () => {
  const fields = parseHeaderBlock(
    Buffer.from(
      'Subject: a\r\n b\r\nX: 1\r\nno header here\r\nx: 2\r\nTo: J\u00fcrgen <j@x.example>\r\n\r\nBody: no\r\n',
    ),
  )
  assert.deepEqual(fields, [
    { name: 'Subject', value: 'a b' },
    { name: 'X', value: '1' },
    { name: 'x', value: '2' },
    { name: 'To', value: 'Jürgen <j@x.example>' },
  ])
})

test('an encoded comma in a display name does not split the address', () => {
  const fields = parseHeaderBlock(Buffer.from('From: =?utf-8?Q?Doe=2C_J=C3=BC?= <a@x.example>\r\n'))
  assert.deepEqual(headerAddresses(fields, 'from'), [{ email: 'a@x.example', name: 'Doe, Jü' }])
})

test('reads continued and encoded parameters', () => {
  const header = `attachment; filename*0*=utf-8''%E4%BE%A1; filename*1*=%E6%A0%BC; filename*2=".zip"`
  assert.deepEqual(parseParameterized(header), {
    value: 'attachment',
    parameters: { filename: '価格.zip' },
  })
})

test('chooses the HTML as body and leaves files as attachments', () => {
  const source = [
    'Content-Type: multipart/mixed; boundary=m',
    '',
    '--m',
    'Content-Type: multipart/alternative; boundary=a',
    '',
    '--a',
    'Content-Type: text/plain',
    '',
    'plain',
    '--a',
    'Content-Type: text/html; charset=utf-8',
    'Content-Transfer-Encoding: quoted-printable',
    '',
    '<p>h=C3=BC</p>',
    '--a--',
    '--m',
    'Content-Type: message/rfc822',
    '',
    'Content-Type: text/html',
    '',
    '<p>inner</p>',
    '--m',
    'Content-Type: text/plain; name=notes.txt',
    '',
    'notes',
    '--m--',
    '',
  ].join('\r\n')
  const message = parseMessage(Buffer.from(source))
  const { html, plain, attachments } = selectParts(message.structure)
  assert.equal(html?.part, '1.2')
  assert.equal(plain?.part, '1.1')
  assert.deepEqual(
    attachments.map((leaf) => [leaf.part, leaf.node.type]),
    [
      ['2', 'message/rfc822'],
      ['3', 'text/plain'],
    ],
  )
  assert.ok(html)
  assert.equal(decodeText(html.node, message.contentOf('1.2') ?? new Uint8Array()), '<p>hü</p>')
})

test('texts with a name are the body where they are alternatives, and one that only begins like an end is none', () => {
  const source = [
    'Content-Type: multipart/mixed; boundary=a',
    '',
    '--a',
    'Content-Type: multipart/alternative; boundary=a--b',
    '',
    '--a--b',
    'Content-Type: text/plain; name=body.txt',
    '',
    'text',
    '--a--b',
    'Content-Type: text/html; name=body.html',
    '',
    '<p>html</p>',
    '--a--b--',
    '--a',
    'Content-Type: text/plain; name=notes.txt',
    '',
    'notes',
    '--a--',
  ].join('\r\n')
  const { html, plain, attachments } = selectParts(parseMessage(Buffer.from(source)).structure)
  assert.deepEqual([plain?.part, html?.part], ['1.1', '1.2'])
  assert.deepEqual(
    attachments.map(({ part }) => part),
    ['2'],
  )
})

test('joins flowed lines', () => {
  const part = { type: 'text/plain', parameters: { format: 'flowed', delsp: 'yes' } }
  assert.equal(decodeText(part, Buffer.from('goes \r\non\r\n')), 'goeson')
})

test('estimates the decoded size of base64', () => {
  const content = Buffer.alloc(5700)
  const lines = content.toString('base64').replace(/.{76}/g, '$&\r\n')
  assert.equal(decodedSize({ type: 'a/b', encoding: 'base64', size: lines.length }), 5700)
})

test('no bytes make the parser throw', () => {
  const line = fc.constantFrom(
    'Content-Type: multipart/mixed; boundary=b',
    'Content-Type: multipart/digest; boundary="b',
    'Content-Transfer-Encoding: base64',
    '--b',
    '--b--',
    '',
    ' folded',
    '__proto__: x',
    'Content-Disposition: attachment; __proto__*0*=x; filename*0*=q',
  )
  fc.assert(
    fc.property(
      fc.array(fc.oneof(line, fc.string(), fc.string({ unit: 'binary' })), { maxLength: 30 }),
      (lines) => {
        const message = parseMessage(Buffer.from(lines.join('\r\n'), 'latin1'))
        const { html, plain } = selectParts(message.structure)
        for (const leaf of [html, plain]) {
          if (leaf) decodeText(leaf.node, message.contentOf(leaf.part) ?? new Uint8Array())
        }
      },
    ),
    { numRuns: 300 },
  )
})
