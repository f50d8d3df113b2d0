import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const children: ChildProcess[] = []
after(() => {
  for (const child of children) child.kill('SIGKILL')
})

const CLI = fileURLToPath(new URL('./fake-app-cli.ts', import.meta.url))

interface Running {
  readonly child: ChildProcess
  /** Resolves with the first line of that stream that has the text. */
  line(stream: 'stdout' | 'stderr', text: string): Promise<string>
  readonly stdout: string[]
  readonly exit: Promise<readonly [number | null, string | null]>
}

function start(args: readonly string[], environment: Record<string, string> = {}): Running {
  const child = spawn(process.execPath, [CLI, ...args], {
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.push(child)
  const seen = { stdout: [] as string[], stderr: [] as string[] }
  const waiting = new Set<() => void>()
  for (const stream of ['stdout', 'stderr'] as const) {
    createInterface({ input: child[stream]! }).on('line', (line) => {
      seen[stream].push(line)
      for (const wake of waiting) wake()
    })
  }
  return {
    child,
    stdout: seen.stdout,
    exit: once(child, 'close').then(
      ([code, signal]) => [code as number | null, signal as string | null] as const,
    ),
    line: (stream, text) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = seen[stream].find((line) => line.includes(text))
          if (found === undefined) return
          waiting.delete(look)
          resolve(found)
        }
        waiting.add(look)
        child.once('close', () => reject(new Error(`ended without "${text}": ${JSON.stringify(seen)}`)))
        look()
      }),
  }
}

test('serve prints one JSON line on stdout and stops cleanly on SIGTERM', async () => {
  const serve = start(['serve', '--role', 'worker'], { GRANTWAY_LOG_LEVEL: 'silent' })
  await serve.line('stdout', 'listening')
  await serve.line('stderr', 'role worker')
  serve.child.kill('SIGTERM')
  await serve.line('stderr', 'stopped')
  assert.deepEqual(await serve.exit, [0, null])
  assert.deepEqual(
    serve.stdout.map((line) => JSON.parse(line) as unknown),
    [{ event: 'listening', url: 'http://127.0.0.1:1' }],
  )
})

test('a second signal ends serve at once while it is still stopping', async () => {
  const serve = start(['serve'], { FAKE_STOP: 'hang' })
  await serve.line('stdout', 'listening')
  serve.child.kill('SIGINT')
  await serve.line('stderr', 'stopping')
  // A repeat that comes at once counts as the same signal, so keep asking until the process has gone.
  const repeat = setInterval(() => serve.child.kill('SIGTERM'), 50)
  const exit = await serve.exit
  clearInterval(repeat)
  assert.deepEqual(exit, [1, null])
})

test('demo --exit ends with 0 only if every step worked', async () => {
  const good = start(['demo', '--exit'])
  assert.deepEqual(await good.exit, [0, null])
  assert.deepEqual(good.stdout, ['walked'])
  const bad = start(['demo', '--exit'], { FAKE_DEMO: 'failed' })
  assert.deepEqual(await bad.exit, [1, null])
})
