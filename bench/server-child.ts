// Servers in processes of their own: what is measured shares no core with who measures.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export const API_KEY = 'bench-api-key-of-more-than-32-characters'
/** Arguments that start the server from its sources: the same code as the built one. */
export const SERVE = [fileURLToPath(new URL('../src/cli/main.ts', import.meta.url)), 'serve']

export interface Started {
  readonly child: ChildProcess
  readonly url: string
  readonly readyMs: number
}

/** Starts a server that prints a listening line; ready is when its first answer is there. */
export async function start(args: readonly string[], environment: Record<string, string>): Promise<Started> {
  const began = performance.now()
  const child = spawn(process.execPath, args, {
    env: {
      PATH: process.env['PATH'],
      GRANTWAY_PORT: '0',
      // What the product costs is measured, not what it lets pass.
      GRANTWAY_RATE_LIMIT_FACTOR: '0',
      GRANTWAY_LOG_LEVEL: 'silent',
      GRANTWAY_API_KEY: API_KEY,
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout })
  const ended = once(child, 'exit').then(() => {
    throw new Error(`${args.join(' ').slice(0, 80)} ended before it answered`)
  })
  const [line] = (await Promise.race([once(lines, 'line'), ended])) as [string]
  ended.catch(() => {}) // from here on it may end: that is what stop() waits for
  const listening = JSON.parse(line) as { readonly url: string }
  await (await fetch(`${listening.url}/readyz`)).arrayBuffer()
  const readyMs = performance.now() - began
  return { child, url: listening.url, readyMs }
}

export async function stop({ child }: Started): Promise<void> {
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
}
