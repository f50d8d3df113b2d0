import assert from 'node:assert/strict'
import { test } from 'node:test'
import { together } from './together.ts'

test('answers all, in their order', async () => {
  assert.deepEqual(await together(Promise.resolve(1), Promise.resolve('two')), [1, 'two'])
})

test('throws the first failure in their order only once all have settled', async () => {
  const settled: string[] = []
  const { promise: late, resolve } = deferred()
  const done = together(
    late.then(() => {
      settled.push('late')
      throw new Error('first in order')
    }),
    Promise.reject(new Error('first in time')),
  ).finally(() => settled.push('told'))
  const told = assert.rejects(done, /first in order/)
  resolve()
  await told
  assert.deepEqual(settled, ['late', 'told'])
})

function deferred() {
  let resolve: () => void = () => assert.fail('the promise is not made yet')
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
