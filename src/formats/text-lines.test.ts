import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LineSplitter, type TextLine } from './text-lines.ts'

function split(bytes: Buffer, cuts: readonly number[] = [], maxLineBytes = 100): readonly TextLine[] {
  const splitter = new LineSplitter(maxLineBytes)
  const edges = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length]
  const lines = edges.slice(1).flatMap((end, at) => splitter.push(bytes.subarray(edges[at], end)))
  return [...lines, ...splitter.end()]
}

test('leaves out the mark, empty lines and line ends, and numbers lines as an editor does', () => {
  assert.deepEqual(split(Buffer.from('\uFEFFone\r\n\n\r\nfour\nfive')), [
    { number: 1, text: 'one' },
    { number: 4, text: 'four' },
    { number: 5, text: 'five' },
  ])
})

test('a line that is too long or no UTF-8 harms no other', () => {
  const bytes = Buffer.concat([
    Buffer.from(`${'x'.repeat(200)}\nok\n`),
    Buffer.from([0xff, 0xfe, 0x0a]),
    Buffer.from('fine\n'),
    Buffer.from('y'.repeat(500)),
  ])
  for (const cuts of [[], [50, 150, 199, 200, 201], [300, 600]]) {
    assert.deepEqual(split(bytes, cuts), [
      { number: 1, problem: 'the line is longer than 100 bytes' },
      { number: 2, text: 'ok' },
      { number: 3, problem: 'the line is not valid UTF-8' },
      { number: 4, text: 'fine' },
      { number: 5, problem: 'the line is longer than 100 bytes' },
    ])
  }
})

test('gives the same lines however the bytes are cut', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.array(fc.nat(1000)), (text, cuts) => {
      const bytes = Buffer.from(text)
      assert.deepEqual(split(bytes, cuts), split(bytes))
    }),
  )
})
