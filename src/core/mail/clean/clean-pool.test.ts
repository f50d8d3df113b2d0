import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AppError } from '../../../kit/app-error.ts'
import { createCleanPool } from './clean-pool.ts'

const OPTIONS = {
  markdown: false,
  links: false,
  images: 'none',
  tables: false,
  removesConclusion: true,
} as const
const LONG = `<p>Fine.</p>${'<p>and more</p>'.repeat(1_000)}`
const NEVER = new AbortController().signal

/** A thread that answers each body with its start, but never one that begins with `hang`. */
const PROGRAM = new URL(
  `data:text/javascript,${encodeURIComponent(`
  import { parentPort } from 'node:worker_threads'
  parentPort.on('message', ({ body }) => {
    if (body.startsWith('die')) throw new Error('x')
    if (body.startsWith('hang')) for (;;) JSON.stringify({ body })
    parentPort.postMessage(body.slice(0, 8).trim() + ' ' + Object.keys(process.env).length)
  })
  parentPort.postMessage(null)
`)}`,
)
const bodyOf = (name: string) => name.padEnd(10_000)

test('writes long bodies in another thread as short ones are written here', async () => {
  const pool = createCleanPool()
  const long = await pool.conversationOf('a', LONG, OPTIONS, NEVER)
  assert.equal(long, ['Fine.', ...Array.from({ length: 1_000 }, () => 'and more')].join('\n\n'))
  assert.equal(await pool.conversationOf('a', '<p>Fine.</p>', OPTIONS, NEVER), 'Fine.')
  await pool.close()
  await assert.rejects(
    pool.conversationOf('a', LONG, OPTIONS, NEVER),
    (error) => error instanceof AppError && error.status === 503,
  )
})

test('ends a thread that takes too long or breaks, and goes on with another', async () => {
  const pool = createCleanPool({ program: PROGRAM, deadlineMs: 300 })
  const outcomes = await Promise.allSettled(
    ['hang', 'one', 'die', 'two'].map((name) => pool.conversationOf('a', bodyOf(name), OPTIONS, NEVER)),
  )
  const tooComplex = (outcome: (typeof outcomes)[number] | undefined) =>
    outcome?.status === 'rejected' && outcome.reason instanceof AppError && outcome.reason.status === 422
  assert.deepEqual([tooComplex(outcomes[0]), tooComplex(outcomes[2])], [true, true])
  // The thread has no environment: nothing of this process is in it.
  assert.deepEqual(outcomes[1], { status: 'fulfilled', value: 'one 0' })
  assert.deepEqual(outcomes[3], { status: 'fulfilled', value: 'two 0' })
  await pool.close()
})

test('one tenant has one thread, takes turns with others, and may not queue for ever', async () => {
  const pool = createCleanPool({ program: PROGRAM, deadlineMs: 60_000 })
  const gone = new AbortController()
  const ends: string[] = []
  const note = (name: string) => (error: unknown) => {
    ends.push(`${name} ${error instanceof AppError ? error.status : String(error)}`)
  }
  const hung = Array.from({ length: 51 }, (_, at) =>
    pool.conversationOf('bad', bodyOf('hang'), OPTIONS, at === 1 ? gone.signal : NEVER).catch(note(`${at}`)),
  )
  // One runs for ever and fifty wait: others are served all the same.
  assert.equal(await pool.conversationOf('good', bodyOf('one'), OPTIONS, NEVER), 'one 0')
  await assert.rejects(
    pool.conversationOf('bad', bodyOf('two'), OPTIONS, NEVER),
    (error) => error instanceof AppError && error.status === 429 && error.extras.retryAfterSeconds === 2,
  )
  gone.abort(new Error('hung up'))
  await hung[1]
  assert.deepEqual(ends, ['1 Error: hung up'])
  await pool.close()
  await Promise.all(hung)
  assert.deepEqual(new Set(ends.slice(1).map((end) => end.split(' ')[1])), new Set(['503']))
  assert.equal(ends.length, 51)
})
