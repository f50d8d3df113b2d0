import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ImportFormat, RawRow } from '../ports/import.ts'
import { readRows } from './read-rows.ts'

async function read(format: ImportFormat, text: string | Buffer, batchRows = 1000, chunkBytes = 7) {
  const bytes = Buffer.from(text)
  async function* chunks() {
    for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes)
  }
  const batches: (readonly RawRow[])[] = []
  for await (const batch of readRows(format, chunks(), batchRows)) batches.push(batch)
  return batches
}

test('NDJSON: each row with its line, in batches of the given size', async () => {
  const [first, second, ...none] = await read('ndjson', '{"a":1}\n\n{"a":2}\nnope\n', 2)
  assert.deepEqual(first, [
    { line: 1, value: { a: 1 } },
    { line: 3, value: { a: 2 } },
  ])
  assert.deepEqual(second, [{ line: 4, problem: 'the line is not a JSON object' }])
  assert.equal(none.length, 0)
})

test('a batch ends early when its rows are large', async () => {
  const row = `${JSON.stringify({ a: 'x'.repeat(600_000) })}\n`
  const batches = await read('ndjson', row.repeat(5), 1000, 65_536)
  assert.deepEqual(
    batches.map((batch) => batch.length),
    [4, 1],
  )
})

test('CSV: dotted columns nest, empty fields are absent, lines count through quoted line ends', async () => {
  const csv =
    '\uFEFFprovider,email,settings.a,settings.b\r\np,"x\r\ny",1,\r\n\r\nq,z,,\nr,"a\nb",,2\ns,\uFFFD,,\nt,t,t\nu,u,,\n'
  const [rows] = await read('csv', csv)
  assert.deepEqual(rows, [
    { line: 2, value: { provider: 'p', email: 'x\r\ny', settings: { a: '1' } } },
    { line: 5, value: { provider: 'q', email: 'z' } },
    { line: 6, value: { provider: 'r', email: 'a\nb', settings: { b: '2' } } },
    { line: 8, problem: 'email: the text is not valid UTF-8' },
    { line: 9, problem: 'the row has 3 fields and the header 4' },
    { line: 10, value: { provider: 'u', email: 'u' } },
  ])
})

test('CSV: a quote that ends nowhere is told, with what came before it kept', async () => {
  for (const chunkBytes of [3, 10_000]) {
    const [rows] = await read('csv', 'provider,email\na,b\nc,"d\ne,f\n', 1000, chunkBytes)
    assert.equal(rows?.length, 2)
    assert.deepEqual(rows[0], { line: 2, value: { provider: 'a', email: 'b' } })
    const [, last] = rows
    assert.ok(
      last && 'problem' in last && /never closed\. Nothing from this line on was read/.test(last.problem),
    )
  }
  const [rows] = await read('csv', 'provider,email\na,b"c\nd,e\n')
  assert.match(JSON.stringify(rows), /"line":2.*a quote stands where none may be/)
})

test('CSV: a header that is none is refused at once', async () => {
  await assert.rejects(read('csv', 'google,a@example.com,t\n'), /no column provider/)
  await assert.rejects(read('csv', 'provider,token\n'), /no column email/)
  await assert.rejects(read('csv', 'provider,email,email\n'), /column email twice/)
})

test('a name from a header or a row can not reach what every object has', async () => {
  const [rows] = await read('csv', 'provider,email,__proto__.x,settings.__proto__\na,b,1,2\n')
  assert.equal(({} as { x?: unknown }).x, undefined)
  assert.equal(rows?.length, 1)
})
