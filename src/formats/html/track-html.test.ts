import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { trackHtml } from './track-html.ts'

const linkUrl = (index: number) => `https://t.example/t/l/${index}`
const IMAGE = '<img src="i" width="1" height="1" alt="" style="border:0;width:1px;height:1px">'
const links = (html: string) => trackHtml(html, { linkUrl })

test('replaces the href of anchors, however it is quoted, and nothing else', () => {
  const { html, links: found } = links(
    `<p>é 𝄞 &amp; <A class=x HREF = 'https://x.example/?a=1&amp;b=2' title="a">1</A><a href=http://y.example/q>2</a>\r\n` +
      `<a href="&#104;ttps://z.example">3</a><a\nhref="  mailto:a@b.example ">4</a><a href="tel:+1234"/>`,
  )
  assert.equal(
    html,
    `<p>é 𝄞 &amp; <A class=x HREF = 'https://t.example/t/l/0' title="a">1</A><a href=https://t.example/t/l/1>2</a>\r\n` +
      `<a href="https://t.example/t/l/2">3</a><a\nhref="https://t.example/t/l/3">4</a><a href="https://t.example/t/l/4"/>`,
  )
  assert.deepEqual(found, [
    'https://x.example/?a=1&b=2',
    'http://y.example/q',
    'https://z.example',
    'mailto:a@b.example',
    'tel:+1234',
  ])
})

test('leaves alone what is no link that can be tracked', () => {
  for (const html of [
    '<a href="javascript:alert(1)">x</a>',
    '<a href="ftp://x.example">x</a>',
    '<a href="/relative">x</a><a href="#a">x</a><a href="">x</a><a href>x</a><a>x</a>',
    '<a href="https://">x</a><a href="https://a b/">x</a>',
    '<a href="https://user:pass@x.example">x</a><a href="https://user@x.example">x</a>',
    '<a data-href="https://x.example">x</a><link href="https://x.example"><area href="https://x.example">',
    '<!-- <a href="https://x.example">x</a> --><!--[if mso]><a href="https://x.example">x</a><![endif]-->',
    `<script>'<a href="https://x.example">'</script><style>/*<a href="https://x.example">*/</style>`,
    '<textarea><a href="https://x.example"></textarea><title><a href="https://x.example"></title>',
    `<a href="https://x.example/${'a'.repeat(8000)}">x</a>`,
    '<a href="https://x.example',
    '<a href="https://x.example"',
  ]) {
    assert.deepEqual(links(html), { html, links: [] })
  }
})

test('counts the first of two hrefs, as browsers do', () => {
  assert.deepEqual(links('<a href="https://a.example" href="https://b.example">x</a>'), {
    html: '<a href="https://t.example/t/l/0" href="https://b.example">x</a>',
    links: ['https://a.example'],
  })
})

test('leaves links alone that are tracked already', () => {
  const html = '<a href="https://t.example/t/l/abc0">x</a>'
  assert.deepEqual(trackHtml(html, { linkUrl, ownPrefix: 'https://t.example/t/l/' }), { html, links: [] })
})

test('puts the image before the end of the body, else at the end', () => {
  const withImage = (html: string) => trackHtml(html, { imageUrl: 'i' }).html
  assert.equal(withImage('<body>a</BODY ></html>'), `<body>a${IMAGE}</BODY ></html>`)
  assert.equal(withImage('<html>a</html>\n'), `<html>a${IMAGE}</html>\n`)
  assert.equal(withImage('a<!-- </body> -->'), `a<!-- </body> -->${IMAGE}`)
  assert.equal(withImage('a</body>b</body>'), `a</body>b${IMAGE}</body>`)
  assert.equal(withImage(''), IMAGE)
})

test('gives every text back unchanged when its marks are taken out again', () => {
  const piece = fc.constantFrom(
    '<a href="https://x.example/">',
    "<a href='http://y'>",
    '<a href=tel:1>',
    '</a>',
    '<!--',
    '-->',
    '</body>',
    '"',
    "'",
    '<script>',
    '</script>',
    '<a ',
    'href',
    '=',
    '>',
    '&#60;',
    '&amp',
    'é',
    '\u{1f600}',
    '\u0000',
    ' ',
    '<![CDATA[',
    ']]>',
  )
  fc.assert(
    fc.property(fc.array(fc.oneof(piece, fc.string({ maxLength: 4 })), { maxLength: 30 }), (pieces) => {
      const source = pieces.join('')
      const { html, links: found } = trackHtml(source, {
        linkUrl: (index) => `\uE000${index}\uE001`,
        imageUrl: '\uE002',
      })
      const marks = html.match(/\uE000\d+\uE001/g) ?? []
      assert.equal(marks.length, found.length)
      const kept = html.replace(/<img src="\uE002"[^>]*>/, '').split(/\uE000\d+\uE001/)
      // What is between the marks stands in the source in that order, and only values of hrefs are missing.
      let at = 0
      for (const [index, part] of kept.entries()) {
        const found = source.indexOf(part, at)
        assert.ok(index === 0 ? found === 0 : found >= at, JSON.stringify(source))
        at = found + part.length
      }
      if (found.length === 0) assert.equal(kept.join(''), source)
    }),
    { numRuns: 500 },
  )
})
