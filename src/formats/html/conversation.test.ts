import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ConversationOptions, conversationOf } from './conversation.ts'

const TEXT: ConversationOptions = {
  markdown: false,
  links: false,
  images: 'none',
  tables: false,
  removesConclusion: true,
}

/** Mail as programs write it, and its newest part. */
const MAILS: readonly (readonly [name: string, body: string, newest: string])[] = [
  [
    'Gmail',
    '<div dir="ltr">Yes, <b>please</b>.<div><br></div></div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">On Mon, Jan 5, 2026 at 1:00 PM Ben &lt;<a href="mailto:ben@x.example">ben@x.example</a>&gt; wrote:<br></div><blockquote class="gmail_quote">old</blockquote></div>',
    'Yes, please.',
  ],
  [
    'Gmail, answered in between',
    '<div>Both.</div><div class="gmail_quote"><div class="gmail_attr">On Mon wrote:</div><blockquote class="gmail_quote">old</blockquote></div><div>More below</div>',
    'Both.\nMore below',
  ],
  [
    'Outlook on the web',
    '<div>Fine.</div><div id="appendonsend"></div><hr><div id="divRplyFwdMsg"><b>From:</b> Ben<br><b>Sent:</b> Monday</div><div>old</div>',
    'Fine.',
  ],
  [
    'Outlook for Windows',
    '<div class="WordSection1"><p class="MsoNormal">Fine.</p><div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0in 0in 0in"><p><b>From:</b> Ben</p></div><p>old</p></div>',
    'Fine.',
  ],
  [
    'Apple Mail',
    'Fine.<br><div><br><blockquote type="cite"><div>On 5 Jan 2026, at 13:00, Ben &lt;ben@x.example&gt; wrote:</div><div>old</div></blockquote></div>',
    'Fine.',
  ],
  [
    'Thunderbird',
    '<p>Fine.</p><div class="moz-cite-prefix">On 05/01/2026 13:00, Ben wrote:<br></div><blockquote type="cite" cite="mid:x">old</blockquote><div class="moz-signature">-- <br>Ada</div>',
    'Fine.',
  ],
  [
    'Yahoo',
    '<div>Fine.</div><div id="ydp1yahoo_quoted_1" class="yahoo_quoted">On Mon wrote: old</div>',
    'Fine.',
  ],
  ['Proton', '<div>Fine.</div><div class="protonmail_quote">On Monday wrote:<br>old</div>', 'Fine.'],
  ['plain', 'Fine.\n\nOn Mon, Jan 5, 2026 at 1 PM Ben <ben@x.example>\nwrote:\n\n> old\n>> older\n', 'Fine.'],
  ['plain, answered in between', 'On 2026-01-05 13:00, Ben wrote:\n> one?\nYes.\n> two?\nNo.\n', 'Yes.\nNo.'],
  [
    'plain Outlook',
    'Fine.\r\n\r\n-----Original Message-----\r\nFrom: Ben\r\nSent: Monday\r\n\r\nold',
    'Fine.',
  ],
  [
    'headers behind a rule',
    'Fine.\n________________________________\nFrom: Ben <ben@x.example>\nSent: Monday\nTo: Ada\nSubject: x\n\nold',
    'Fine.',
  ],
  ['German', 'Gut.\n\nAm 05.01.2026 um 13:00 schrieb Ben <ben@x.example>:\n> alt', 'Gut.'],
  ['French', 'Bien.\n\nLe lun. 5 janv. 2026 à 13:00, Ben <ben@x.example> a écrit :\n> vieux', 'Bien.'],
  ['Spanish', 'Bien.\n\nEl lun, 5 ene 2026 a las 13:00, Ben (<ben@x.example>) escribió:\n> viejo', 'Bien.'],
  ['Japanese', 'はい\n\n2026年1月5日 Benさんは書きました:\n> 古い', 'はい'],
  ['Russian', 'Да.\n\n5 января 2026 г., 13:00, Ben <ben@x.example> пишет:\n> старое', 'Да.'],
  [
    'German Outlook',
    '<p>Gut.</p><p><b>Von:</b> Ben<br><b>Gesendet:</b> Montag<br><b>An:</b> Ada<br><b>Betreff:</b> x</p><p>alt</p>',
    'Gut.',
  ],
  [
    'nothing but a forwarded message',
    '<div><br></div><div class="gmail_quote"><div class="gmail_attr">---------- Forwarded message ---------<br>From: Ben</div>news</div>',
    '---------- Forwarded message ---------\nFrom: Ben\nnews',
  ],
  ['a sentence that looks like an introduction', 'On this I wrote:\nnothing', 'On this I wrote:\nnothing'],
  ['a quote of the author', '<p>He said:</p><blockquote>hello</blockquote>', 'He said:\n\n> hello'],
  ['closing phrase', 'Fine.\n\nBest regards,\nAda Lovelace\nAcme Ltd.\n+44 1', 'Fine.'],
  ['closing phrase in German', 'Gut.\n\nMit freundlichen Grüßen\nAda', 'Gut.'],
  ['signature behind its delimiter', 'Fine.\n-- \nAda\nwww.acme.example', 'Fine.'],
  ['telephone', 'Fine.\n\nSent from my iPhone', 'Fine.'],
  [
    'Gmail signature',
    '<div>Fine.</div><div class="gmail_signature" data-smartmail="gmail_signature">Ada</div>',
    'Fine.',
  ],
  ['nothing but thanks', 'Thanks', 'Thanks'],
  ['cells stay apart', '<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>', 'a b\nc'],
  [
    'an address in angle brackets is text',
    'Ask Ben <ben@x.example> or <https://x.example/a>',
    'Ask Ben <ben@x.example> or <https://x.example/a>',
  ],
  ['nothing', '', ''],
]

test('keeps the newest part of mail as programs write it', () => {
  for (const [name, body, newest] of MAILS) assert.equal(conversationOf(body, TEXT), newest, name)
})

test('keeps signature and closing phrase where they are asked for', () => {
  for (const body of ['Fine.\n\nBest,\nAda', 'Fine.\n--\nAda', 'Fine.\n\nSent from my iPhone']) {
    assert.equal(conversationOf(body, { ...TEXT, removesConclusion: false }), body)
  }
})

test('shows links, images and tables as asked', () => {
  const html =
    '<p>See <a href="https://x.example/a(1)">here</a> <img src="https://x.example/i.png" alt="a [b]" width=50></p><table><tr><th>a|</th><th>b</th></tr><tr><td>1</td><td><table><tr><td>2</td></tr></table></td></tr></table>'
  const of = (options: Partial<ConversationOptions>) => conversationOf(html, { ...TEXT, ...options })
  assert.equal(of({}), 'See here\n\na| b\n1\n2')
  assert.equal(of({ links: true }), 'See here [https://x.example/a%281%29]\n\na| b\n1\n2')
  assert.equal(of({ images: 'address' }), 'See here a b [https://x.example/i.png]\n\na| b\n1\n2')
  assert.equal(of({ images: 'markdown' }), 'See here ![a b](https://x.example/i.png)\n\na| b\n1\n2')
  assert.equal(of({ tables: true }), 'See here\n\na|   b\n1    2')
  assert.equal(
    of({ markdown: true, links: true, images: 'markdown', tables: true }),
    'See [here](https://x.example/a%281%29) ![a \\[b\\]](https://x.example/i.png)\n\n| a\\| | b |\n| --- | --- |\n| 1 | 2 |',
  )
})

test('hostile sizes and nests end soon', () => {
  const sources = [
    '<div>'.repeat(60_000),
    '<table><tr><td>'.repeat(20_000),
    '<style>.a{}'.repeat(20_000),
    '<'.repeat(250_000),
    '<a '.repeat(80_000),
    `<p ${'a=b '.repeat(60_000)}>x`,
    `${'On 1 x\n'.repeat(40_000)}`,
    ' \u00a0'.repeat(100_000),
  ]
  for (const source of sources) {
    for (const markdown of [false, true]) {
      const text = conversationOf(source, { ...TEXT, markdown, tables: true, links: true })
      assert.ok(text.length < 3 * source.length + 1000)
    }
  }
})
