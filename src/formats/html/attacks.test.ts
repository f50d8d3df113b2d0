import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ConversationOptions, conversationOf } from './conversation.ts'
import { sanitizeSignature } from './sanitize-signature.ts'

/** HTML that tries to run, load, hide or break out. `EVIL` may come out of none of it, `seen` has to. */
const ATTACKS: readonly (readonly [name: string, html: string, seen?: string])[] = [
  ['script', '<p>ok</p><script>EVIL</script>', 'ok'],
  ['script in capitals', '<SCRIPT>EVIL</SCRIPT>ok', 'ok'],
  ['script with attributes', '<script type="text/x" src=//x>EVIL</script >ok', 'ok'],
  ['script that is never closed', 'ok<script>EVIL'],
  ['script with a slash', '<script/x>EVIL</script>ok', 'ok'],
  ['style', '<style>EVIL</style>ok', 'ok'],
  ['style with an import', '<style>@import url(//EVIL)</style>ok', 'ok'],
  ['style that is never closed', 'ok<style>EVIL'],
  ['background in a style', '<p style="background:url(//EVIL)">ok</p>', 'ok'],
  ['background as an attribute', '<table background="//EVIL"><tr><td>ok</td></tr></table>', 'ok'],
  ['event handler', '<p onclick="EVIL()">ok</p>', 'ok'],
  ['event handler without quotes', '<p onmouseover=EVIL>ok</p>', 'ok'],
  ['event handler behind a slash', '<p/onclick=EVIL>ok</p>', 'ok'],
  ['broken image with a handler', '<img src=x onerror=EVIL>ok', 'ok'],
  ['svg', '<svg onload=EVIL><text>EVIL</text></svg>ok', 'ok'],
  ['svg with script', '<svg><script>EVIL</script></svg>ok', 'ok'],
  ['svg with a foreign object', '<svg><foreignObject><p>EVIL</p></foreignObject></svg>ok', 'ok'],
  ['mathml', '<math><mtext>EVIL</mtext></math>ok', 'ok'],
  ['mathml with a style', '<math><mtext><style><img src=x onerror=EVIL></style></mtext></math>ok', 'ok'],
  ['nested form of mathml', '<form><math><mtext></form><form><mglyph><style></math><img src onerror=EVIL>'],
  ['noscript', '<noscript><p title="</noscript><img src=x onerror=EVIL>">ok</noscript>'],
  ['title', '<title><a title="</title><img src=x onerror=EVIL>">x</title>ok', 'ok'],
  ['textarea', '<textarea><p>EVIL</textarea>ok', 'ok'],
  ['xmp', '<xmp><p title="</xmp><img src=x onerror=EVIL>"></xmp>'],
  ['noembed', '<noembed>EVIL</noembed>ok', 'ok'],
  ['noframes', '<noframes>EVIL</noframes>ok', 'ok'],
  ['template', '<template><b>EVIL</b></template>ok', 'ok'],
  ['iframe', '<iframe src="//EVIL">EVIL</iframe>ok', 'ok'],
  ['iframe with a document', '<iframe srcdoc="EVIL"></iframe>ok', 'ok'],
  ['object', '<object data="//EVIL">EVIL</object>ok', 'ok'],
  ['embed', '<embed src="//EVIL">ok', 'ok'],
  ['base', '<base href="//EVIL/">ok', 'ok'],
  ['refresh', '<meta http-equiv=refresh content="0;url=//EVIL">ok', 'ok'],
  ['link', '<link rel=stylesheet href="//EVIL">ok', 'ok'],
  ['form', '<form action="//EVIL"><input value=EVIL><button formaction="//EVIL">ok</button></form>', 'ok'],
  ['options', '<select><option>EVIL</option></select>ok', 'ok'],
  ['video', '<video src="//EVIL" poster="//EVIL">EVIL</video>ok', 'ok'],
  ['audio', '<audio src="//EVIL">EVIL</audio>ok', 'ok'],
  ['source set', '<img srcset="//EVIL 1x" alt="x">ok', 'ok'],
  ['picture', '<picture><source srcset="//EVIL"></picture>ok', 'ok'],
  ['script address', '<a href="javascript:EVIL">ok</a>', 'ok'],
  ['script address in mixed case', '<a href="JaVaScRiPt:EVIL">ok</a>', 'ok'],
  ['script address in entities', '<a href="&#106;&#x61;vascript&colon;EVIL">ok</a>', 'ok'],
  ['script address with a tab', '<a href="java&Tab;script:EVIL">ok</a>', 'ok'],
  ['script address with a line break', '<a href="java\nscript:EVIL">ok</a>', 'ok'],
  ['script address behind a control', '<a href="\u0001javascript:EVIL">ok</a>', 'ok'],
  ['script address behind a space', '<a href=" &#32;javascript:EVIL">ok</a>', 'ok'],
  ['script address with a NUL', '<a href="java\u0000script:EVIL">ok</a>', 'ok'],
  ['visual basic address', '<a href="vbscript:EVIL">ok</a>', 'ok'],
  ['data address', '<a href="data:text/html,EVIL">ok</a>', 'ok'],
  ['data address in mixed case', '<a href="DaTa:text/html;base64,EVIL">ok</a>', 'ok'],
  ['data image', '<img src="data:image/svg+xml,EVIL">ok', 'ok'],
  ['file address', '<a href="file:///EVIL">ok</a>', 'ok'],
  ['blob address', '<a href="blob:https://x/EVIL">ok</a>', 'ok'],
  ['address without a scheme', '<a href="//EVIL/x">ok</a>', 'ok'],
  ['relative address', '<a href="/EVIL">ok</a>', 'ok'],
  ['address of a linked svg', '<svg><a xlink:href="javascript:EVIL"><text>x</text></a></svg>ok', 'ok'],
  ['hidden text', '<div style="display:none">EVIL</div>ok', 'ok'],
  ['hidden text in capitals', '<div STYLE="DISPLAY : NONE !important">EVIL</div>ok', 'ok'],
  ['hidden text with a comment', '<div style="display:/**/none">EVIL</div>ok', 'ok'],
  ['hidden text with an escape', '<div style="dis\\70 lay:none">EVIL</div>ok', 'ok'],
  ['invisible text', '<div style="visibility:hidden">EVIL</div>ok', 'ok'],
  ['transparent text', '<div style="opacity:0">EVIL</div>ok', 'ok'],
  ['text without size', '<span style="font-size:0px">EVIL</span>ok', 'ok'],
  ['text of one pixel', '<span style="font-size:1px;color:#fff">EVIL</span>ok', 'ok'],
  ['white text on white', '<span style="color:#fff;background:#FFFFFF">EVIL</span>ok', 'ok'],
  ['transparent colour', '<span style="color:transparent">EVIL</span>ok', 'ok'],
  ['text outside the page', '<p style="position:absolute;left:-9999px">EVIL</p>ok', 'ok'],
  ['indented away', '<p style="text-indent:-9999px">EVIL</p>ok', 'ok'],
  ['no height', '<div style="max-height:0;overflow:hidden">EVIL</div>ok', 'ok'],
  ['hidden from Outlook', '<div style="mso-hide:all">EVIL</div>ok', 'ok'],
  ['hidden attribute', '<div hidden>EVIL</div>ok', 'ok'],
  [
    'hidden by a class',
    '<style>.x, p.y {display:none}</style><b class="a x">EVIL</b><p class=y>EVIL</p>ok',
    'ok',
  ],
  ['hidden by an id', '<style>#x{visibility:hidden}</style><b id=x>EVIL</b>ok', 'ok'],
  ['tracking pixel', '<img src="https://EVIL/p.gif" width="1" height="1">ok', 'ok'],
  ['tracking pixel by its style', '<img src="https://EVIL/p.gif" style="width:1px;height:1px">ok', 'ok'],
  ['tracking pixel that is hidden', '<img src="https://EVIL/p.gif" style="display:none">ok', 'ok'],
  ['tracking pixel of no height', '<img src="https://EVIL/p.gif" height=0>ok', 'ok'],
  ['comment', '<!-- EVIL -->ok', 'ok'],
  ['conditional comment', '<!--[if mso]>EVIL<![endif]-->ok', 'ok'],
  ['comment that closes early', '<!--><img src=x onerror=EVIL>-->'],
  ['comment with a bang', '<!-- x --!><img src=x onerror=EVIL> -->'],
  ['document type', '<!DOCTYPE html [<!ENTITY x "EVIL">]>ok'],
  ['processing instruction', '<?xml-stylesheet href="//EVIL"?>ok', 'ok'],
  ['quote in an attribute', '<p title="</p><script>EVIL</script>">ok</p>', 'ok'],
  ['unclosed attribute', '<img src="x` `<script>EVIL</script>"` `>ok', 'ok'],
  ['unclosed tag', 'ok<img src=x onerror=EVIL '],
  ['overlong nesting', `${'<b>'.repeat(500)}<script>EVIL</script>`],
]

const ESCAPED: readonly string[] = [
  '&lt;script&gt;alert(1)&lt;/script&gt;',
  '&amp;lt;script&amp;gt;x',
  '&lt;img src=x onerror=alert(1)&gt;',
  '[x](javascript:alert(1))',
  '![x](data:text/html,x)',
  '[x]: javascript:alert(1)',
  '&lt;javascript:alert(1)&gt;',
  '`&lt;b&gt;',
  '<code>` &lt;script&gt;</code>',
  '<pre><code>```\n&lt;script&gt;\n```</code></pre>',
  '<a href="https://a.example/)[x](javascript:alert(1))">x</a>',
  '<a href="mailto:a@b.example?subject=&lt;script&gt;)">x</a>',
  '<img src="https://a.example/x" alt="](javascript:alert(1))">',
  '<table><tr><td>&lt;script&gt;|</td></tr></table>',
]

const TEXT: ConversationOptions = {
  markdown: false,
  links: false,
  images: 'none',
  tables: false,
  removesConclusion: true,
}
const SHOWING: ConversationOptions = {
  markdown: true,
  links: true,
  images: 'markdown',
  tables: true,
  removesConclusion: false,
}

test('nothing of an attack comes out, whatever is asked for', () => {
  assert.ok(ATTACKS.length >= 60)
  for (const [name, html, seen] of ATTACKS) {
    for (const options of [TEXT, SHOWING, { ...SHOWING, markdown: false }]) {
      const text = conversationOf(html, options)
      assert.ok(!/EVIL/i.test(text), `${name}: ${text}`)
      if (seen !== undefined) assert.ok(text.includes(seen), `${name}: ${text}`)
    }
  }
})

test('nothing of an attack is left in a signature that could run or load', () => {
  for (const [name, html] of ATTACKS) {
    const kept = sanitizeSignature(html)
    const tags = [...kept.matchAll(/<[^>]*>/g)].map(([tag]) => tag).join('')
    assert.ok(
      !/<\/?(script|style|svg|math|iframe|object|embed|base|meta|link|form|input)\b/i.test(tags),
      `${name}: ${kept}`,
    )
    // What is left of an attribute is between quotes and escaped.
    assert.ok(!/\son\w+\s*=/i.test(tags.replace(/"[^"<>]*"/g, '""')), `${name}: ${kept}`)
    for (const [, value = ''] of tags.matchAll(/\s(?:href|src|style)="([^"]*)"/g)) {
      assert.ok(!/javascript|vbscript|data:|url\(|expression|import|&#/i.test(value), `${name}: ${kept}`)
    }
    assert.equal(sanitizeSignature(kept), kept, name)
  }
})

test('Markdown has no HTML and no link of another scheme, whatever the text says', () => {
  for (const html of ESCAPED) {
    for (const source of [
      `<p>${html}</p>`,
      html.includes('<') ? '' : html.replaceAll('&lt;', '<').replaceAll('&gt;', '>'),
    ]) {
      const markdown = conversationOf(source, SHOWING)
      const outsideCode = markdown.replace(/(`+)[\s\S]*?[^`]\1(?!`)/g, '')
      assert.ok(!/(?<!\\)</.test(outsideCode), `${source}: ${markdown}`)
      assert.ok(!/(?<!\\)\]\((?!https:|mailto:|tel:)/.test(outsideCode), `${source}: ${markdown}`)
      assert.ok(!/(?<!\\)\[[^\]]*(?<!\\)\]:/.test(outsideCode), `${source}: ${markdown}`)
    }
  }
})
