import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { html } from './html.ts'

const decode = (text: string) =>
  text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&#96;', '`')
    .replaceAll('&amp;', '&')

const hostile = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(
      fc.constantFrom(
        '<',
        '>',
        '"',
        "'",
        '`',
        '&',
        '&lt;',
        '</p>',
        '<script>',
        ' onload=',
        '-->',
        ']]>',
        '=',
      ),
    )
    .map((parts) => parts.join('')),
)

test('whatever is put in stays text: no mark of markup is left, and all of it can be read back', () => {
  fc.assert(
    fc.property(hostile, hostile, (text, attribute) => {
      const [, value, content] = /^<p title="([^"]*)">([^<]*)<\/p>$/.exec(
        html`<p title="${attribute}">${text}</p>`.toString(),
      ) ?? [undefined, undefined, undefined]
      assert.equal(decode(value ?? ''), attribute)
      assert.equal(decode(content ?? ''), text)
      assert.doesNotMatch(`${value}${content}`, /[<>"'`]/)
    }),
  )
})

test('markup made here goes in as it is, also in lists; nothing comes of what is absent', () => {
  const items = ['a', '<b>'].map((item) => html`<li>${item}</li>`)
  assert.equal(
    html`<ul>${items}</ul>${null}${undefined}${false}${0}`.toString(),
    '<ul><li>a</li><li>&lt;b&gt;</li></ul>0',
  )
})

test('an object that only looks like markup is text', () => {
  const looksLike = { toString: () => '<script>' } as unknown as string
  assert.equal(html`${looksLike}`.toString(), '&lt;script&gt;')
})
