import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { snippetOfHtml, snippetOfText, textOfHtml } from './snippet.ts'

/** What a snippet is, plainly: all blanks collapsed, trimmed, the first 100 code points. */
function plainSnippet(text: string): string {
  const line = text.replace(/(?:\s|\u034f|[\u00ad\u200b-\u200f\ufeff])+/g, ' ').trim()
  return Array.from(line).slice(0, 100).join('')
}

test('a snippet is the plain one, whatever the text', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      ' ',
      '  ',
      '\t',
      '\r\n',
      '\u00a0',
      '\u200b',
      '\ufeff',
      '\u034f',
      '😀',
      '\ud83d',
      'ä',
      'word',
    ),
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.nat(600).map((length) => ' '.repeat(length)),
    fc.nat(300).map((length) => 'x😀'.repeat(length)),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 80 }), (pieces) => {
      const text = pieces.join('')
      assert.equal(snippetOfText(text), plainSnippet(text))
    }),
    { numRuns: 500 },
  )
})

test('the snippet of long HTML is that of its start only where nothing else could show', () => {
  const short = `<p>${'word '.repeat(30)}</p>`
  const padding = `<!-- ${'x'.repeat(20_000)} -->`
  assert.equal(snippetOfHtml(padding + short), snippetOfHtml(short))
  assert.equal(snippetOfHtml(`<p>a</p>${padding}<p>b</p>`), 'a b')
  assert.equal(snippetOfHtml(short.repeat(500)), snippetOfHtml(short))
  assert.equal(snippetOfHtml(`${short.repeat(60)}<b`.slice(0, 8_190) + padding), snippetOfHtml(short))
})

test('HTML that is nested without end is read all the same', () => {
  for (const tag of [
    '<div>',
    '<ul><li>',
    '<blockquote>',
    '<table><tr><td>',
    '<a href="https://x.example">',
  ]) {
    const hostile = `seen${tag.repeat(100_000)}x`
    assert.ok(textOfHtml(hostile).startsWith('seen'), tag)
    assert.ok(snippetOfHtml(hostile).startsWith('seen'), tag)
  }
})
