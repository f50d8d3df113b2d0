import fc from 'fast-check'
import type { Mutation } from './mutate-answer.ts'

/** A mutation of the answers to one command: to all of them, or to the nth. */
interface Misdeed {
  readonly command: string
  readonly nth: number | 'all'
  readonly mutation: Mutation
}

/** How a server misbehaves while one input is tried. */
export interface Plan {
  readonly greeting: string
  readonly capabilities: string
  readonly misdeeds: readonly Misdeed[]
}

const place = fc.double({ min: 0, max: 1, noNaN: true })

const numbers = fc.oneof(
  fc.constantFrom(
    '0',
    '-1',
    '1',
    '2',
    '3',
    '4294967295',
    '4294967296',
    '9007199254740993',
    '1.5',
    'NIL',
    '1e9',
    '',
  ),
  fc.nat(10).map(String),
  fc.constant('9'.repeat(400)),
)

/** Something an answer may hold where one thing stands: a number, a string, a list, a literal. */
const tokens = fc.letrec<{ token: string; list: string }>((tie) => ({
  token: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(
      'NIL',
      '""',
      '"text"',
      '"plain"',
      '"x',
      ')',
      '(',
      '{3}\r\nabc',
      '{0}\r\n',
      '"a\\"',
      '\\Seen',
      '*',
      '"=?utf-8?B?/w==?="',
    ),
    numbers,
    fc.constantFrom(
      '("CHARSET" "utf-8")',
      '("NAME" NIL)',
      '("attachment" ("FILENAME" "x"))',
      '"BASE64"',
      '"MIXED"',
      '"RFC822"',
      '"MESSAGE"',
    ),
    tie('list'),
  ),
  list: fc.array(tie('token'), { maxLength: 8 }).map((parts) => `(${parts.join(' ')})`),
})).token

/** Broken as a whole, or a good one with one place that is not. */
const structures = fc.oneof(
  tokens,
  fc.tuple(fc.nat(11), tokens).map(([at, odd]) => {
    const fields = [
      '"TEXT"',
      '"HTML"',
      '("CHARSET" "utf-8")',
      'NIL',
      'NIL',
      '"7BIT"',
      '100',
      '3',
      'NIL',
      'NIL',
      'NIL',
      'NIL',
    ]
    return `(${fields.with(at, odd).join(' ')})`
  }),
  fc
    .tuple(fc.array(tokens, { maxLength: 4 }), tokens)
    .map(([parts, odd]) => `(${parts.map((each) => `(${each})`).join('')} "MIXED" ${odd})`),
  fc
    .constantFrom(1, 50, 3_000, 60_000)
    .map((depth) => `${'('.repeat(depth)}"TEXT" "PLAIN" NIL NIL NIL "7BIT" 1 1${')'.repeat(depth)}`),
)

const pieces = fc.constantFrom(
  '\0',
  '\xff\xfe',
  '\x80',
  '(',
  ')',
  '((((((((',
  '"',
  '\\',
  '{5}\r\n',
  '{99999999}\r\n',
  '{5',
  '~{3}\r\nabc',
  '{3+}\r\nabc',
  '\r\n',
  '\n',
  '\r',
  ' ',
  '[',
  ']',
  '<0>',
  '%',
  '*',
  ' NIL ',
)

const lines = fc.oneof(
  fc.constantFrom(
    '* BYE gone',
    '* 1 EXPUNGE',
    '* 9 EXPUNGE',
    '* 0 EXPUNGE',
    '* 3 EXISTS',
    '* 0 EXISTS',
    '* 99999999999999999999 EXISTS',
    '* -1 EXISTS',
    '* EXISTS',
    '* 1 FETCH (UID 99 FLAGS ())',
    '* 1 FETCH (UID 2 FLAGS (\\Deleted))',
    '* 2 FETCH (FLAGS NIL)',
    '* 1 FETCH (UID 1 BODYSTRUCTURE NIL)',
    '* 1 FETCH',
    '* 1 FETCH (UID 1 BODY[1] {4}\r\nevil)',
    '* 1 FETCH (UID 1 BODY[TEXT]<7> "evil")',
    '* FETCH 1 (UID 1)',
    '* VANISHED 1:4294967295',
    '* VANISHED (EARLIER) 1',
    '* OK [UIDVALIDITY 0] x',
    '* OK [UIDVALIDITY 77] x',
    '* OK [UIDVALIDITY x] x',
    '* OK [UIDNEXT NIL] x',
    '* OK [HIGHESTMODSEQ 99999999999999999999] x',
    '* OK [PERMANENTFLAGS ()] x',
    '* OK [',
    '* OK [NIL]',
    '* NO [ALERT] x',
    '* BAD x',
    '* SEARCH 1 2 99999',
    '* SEARCH',
    '* SEARCH x y',
    '* SEARCH 1:4294967295',
    '* ESEARCH (TAG "x") UID ALL 1:4294967295',
    '* ESEARCH UID ALL 1:9',
    '* LIST () "/" INBOX',
    '* LIST () NIL ""',
    '* LIST NIL NIL NIL',
    '* LIST (\\Noselect \\All \\Sent) "" "x"',
    '* LIST (\\Trash) "/" {3}\r\n\xff\xfe\x00',
    '* LIST () "//" &-&',
    '* LSUB () "." INBOX',
    '* STATUS INBOX (MESSAGES -1 UNSEEN NIL)',
    '* STATUS',
    '* NAMESPACE NIL NIL NIL',
    '* NAMESPACE (("" "")) NIL NIL',
    '* FLAGS NIL',
    '* ENABLED UTF8=ACCEPT',
    '* CAPABILITY',
    '* PREAUTH hello',
    '* ID (NIL NIL)',
    '+ go on',
    '+',
    'A999 OK done',
    'A OK done',
    'OK',
    '*',
    '',
    '* ',
    '* 1',
    '* XYZZY (',
    '\0\0\0',
    '* ??? )((',
  ),
  tokens.map((text) => `* 1 FETCH (UID 1 FLAGS () BODYSTRUCTURE ${text})`),
  tokens.map((text) => `* LIST ${text} "/" ${text}`),
  tokens.map((text) => `* ${text}`),
)

const verdicts = fc.oneof(
  fc.constantFrom('OK', 'NO', 'BAD', 'BYE', 'PREAUTH', 'MAYBE', '', 'ok done', 'OK [', 'NO [', 'NO []'),
  fc
    .tuple(
      fc.constantFrom('OK', 'NO', 'BAD'),
      fc.constantFrom(
        'UNAVAILABLE',
        'INUSE',
        'LIMIT',
        'OVERQUOTA',
        'NOPERM',
        'TRYCREATE',
        'NONEXISTENT',
        'ALREADYEXISTS',
        'SERVERBUG',
        'EXPUNGEISSUED',
        'BADCHARSET (x)',
        'THROTTLED',
        'READ-ONLY',
        'CAPABILITY IMAP4rev1',
        'COPYUID x y z',
        'COPYUID 1 1:4294967295 1:4294967295',
        'APPENDUID',
        'UIDVALIDITY NIL',
        'ALERT',
        'CLOSED',
        'x'.repeat(9_000),
      ),
    )
    .map(([verdict, code]) => `${verdict} [${code}] said so`),
)

/** Values of FETCH that are replaced by name. */
const values = fc.oneof(
  fc.record({ name: fc.constant('BODYSTRUCTURE'), text: structures }),
  fc.record({
    name: fc.constantFrom('UID', 'RFC822.SIZE', 'FLAGS', 'INTERNALDATE', 'BODY'),
    text: fc.oneof(tokens, numbers),
  }),
  fc.record({
    name: fc.constant('INTERNALDATE'),
    text: fc.constantFrom(
      '"01-Jan-0000 00:00:00 +0000"',
      '"99-Xxx-9999 99:99:99 +9999"',
      '"31-Dec-9999 23:59:60 -9959"',
      '"x"',
      '""',
      '"-1"',
    ),
  }),
)

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('cut', 'reset'), at: place }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('stall'), at: place }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('insert'), at: place, text: pieces }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('insert line'), at: place, text: lines }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('delete'), at: place, length: fc.integer({ min: 1, max: 40 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('repeat'),
      at: place,
      length: fc.integer({ min: 1, max: 200 }),
      times: fc.constantFrom(1, 2, 300),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('drop line', 'swap lines'), at: place }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('number'), at: place, text: numbers }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('literal'),
      text: fc.constantFrom('', '', '', '-1', '99999999999', '9'.repeat(300), 'x', '0'),
      add: fc.integer({ min: -4, max: 4 }),
    }),
  },
  { weight: 8, arbitrary: values.map((value) => ({ kind: 'value', ...value }) as const) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('tag'), text: fc.constantFrom('A999', '*', '+', '', '\0') }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('verdict'), text: verdicts }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('instead'),
      text: fc.oneof(lines, fc.string({ unit: 'binary', maxLength: 200 })),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('flood'),
      at: place,
      text: fc.constantFrom(
        'x',
        '(',
        '"',
        '* 1 EXISTS\r\n',
        '* 1 FETCH (UID 1 FLAGS ())\r\n',
        '* SEARCH 1 2 3\r\n',
        '\r\n',
        '* LIST () "/" x\r\n',
        ' 1',
      ),
      bytes: fc.constantFrom(10_000, 300_000, 3_000_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('drip') }) },
)

/** The commands that are answered; `UID FETCH` the most, for most is read from it. */
const command = fc.oneof(
  { weight: 6, arbitrary: fc.constant('UID FETCH') },
  { weight: 2, arbitrary: fc.constantFrom('UID SEARCH', 'EXAMINE', 'SELECT', 'LIST', 'STATUS') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'LOGIN',
      'CAPABILITY',
      'NAMESPACE',
      'UID STORE',
      'NOOP',
      'ENABLE',
      'ID',
      'LSUB',
      'any',
    ),
  },
)

export const plan: fc.Arbitrary<Plan> = fc.record({
  greeting: fc.oneof(
    { weight: 15, arbitrary: fc.constant('* OK ready') },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        '* OK [CAPABILITY',
        '* PREAUTH hello',
        '* BYE no',
        '* NO no',
        '',
        '\0',
        '* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] x',
        'HTTP/1.1 400 Bad Request\r\n\r\n',
        'x'.repeat(100_000),
      ),
    },
  ),
  capabilities: fc.oneof(
    { weight: 4, arbitrary: fc.constant('IMAP4rev1') },
    {
      weight: 3,
      arbitrary: fc
        .subarray([
          'UIDPLUS',
          'MOVE',
          'ENABLE',
          'CONDSTORE',
          'QRESYNC',
          'ESEARCH',
          'UTF8=ACCEPT',
          'SPECIAL-USE',
          'LIST-EXTENDED',
          'LIST-STATUS',
          'NAMESPACE',
          'ID',
          'UNSELECT',
          'LITERAL+',
          'LITERAL-',
          'SASL-IR',
          'AUTH=PLAIN',
          'OBJECTID',
          'X-GM-EXT-1',
          'STATUS=SIZE',
          'BINARY',
          'PARTIAL',
          'IDLE',
          'LOGINDISABLED',
          'IMAP4rev2',
          'COMPRESS=DEFLATE',
        ])
        .map((more) => ['IMAP4rev1', ...more].join(' ')),
    },
  ),
  misdeeds: fc.array(
    fc.record({ command, nth: fc.constantFrom<number | 'all'>('all', 'all', 1, 2, 3), mutation }),
    { minLength: 1, maxLength: 4 },
  ),
})
