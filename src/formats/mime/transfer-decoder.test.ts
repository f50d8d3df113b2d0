import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createTransferDecoder } from './transfer-decoder.ts'
import { decodeTransfer } from './transfer-encoding.ts'

/** Cuts bytes into pieces at these places. */
function pieces(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length]
  return places.slice(1).map((end, at) => bytes.subarray(places[at], end))
}

function decodeInPieces(encoding: string, parts: readonly Buffer[]): Buffer {
  const decoder = createTransferDecoder(encoding)
  return Buffer.concat([...parts.map((part) => decoder.write(part)), decoder.end()])
}

const words = fc
  .array(
    fc.constantFrom(
      '=',
      '=\r\n',
      '= \t',
      '=3D',
      '=4',
      '\r',
      '\n',
      'end',
      'end\n',
      'QUJD',
      'A',
      '==',
      '#8V%T',
      'begin 644 x\n',
      ' ',
      'é',
      '\r\n',
    ),
  )
  .map((parts) => parts.join(''))

for (const encoding of ['base64', 'quoted-printable', 'x-uuencode', '7bit', 'x-unknown']) {
  test(`${encoding} in pieces gives what the whole gives`, () => {
    fc.assert(
      fc.property(
        fc.oneof(words, fc.base64String(), fc.string()),
        fc.array(fc.nat(), { maxLength: 6 }),
        (text, cuts) => {
          const bytes = Buffer.from(text)
          assert.deepEqual(
            decodeInPieces(encoding, pieces(bytes, cuts)),
            Buffer.from(decodeTransfer(bytes, encoding)),
          )
        },
      ),
      { numRuns: 300 },
    )
  })
}

test('holds back no more than a bounded rest', () => {
  const decoder = createTransferDecoder('quoted-printable')
  let out = 0
  for (let at = 0; at < 64; at += 1)
    out += decoder.write(Buffer.from(at === 0 ? '=' : ' '.repeat(16_384))).length
  assert.ok(out > 16_384 * 50, String(out))
})
