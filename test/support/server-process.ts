import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** A server in a process of its own, so that it can be killed. */
export interface ServerProcess {
  readonly url: string
  readonly pid: number
  /** Everything written to stderr so far: the log. */
  log(): string
  /** Ends it and waits until it is gone. @returns its exit code, null after a signal */
  end(signal: NodeJS.Signals): Promise<number | null>
  /** Resolves when it is gone, whatever ended it. */
  readonly gone: Promise<number | null>
}

/** The process ended before it said where it listens. */
export class EndedEarlyError extends Error {}

/**
 * Starts a TypeScript file in a process of its own and waits for its line `{"event":"listening","url":…}`.
 *
 * @param environment  the whole environment but for PATH and HOME, so that nothing of the machine leaks in
 */
export async function startServerProcess(
  args: readonly string[],
  environment: { readonly [name: string]: string },
): Promise<ServerProcess> {
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let log = ''
  child.stderr.on('data', (chunk: Buffer) => {
    log += chunk.toString()
  })
  const gone = exitOf(child)
  const url = await Promise.race([
    listeningLine(child),
    gone.then((code) => {
      throw new EndedEarlyError(`the server ended with ${code} before it listened:\n${log}`)
    }),
  ])
  return {
    url,
    pid: child.pid ?? 0,
    log: () => log,
    gone,
    end(signal) {
      child.kill(signal)
      return gone
    },
  }
}

async function exitOf(child: ChildProcess): Promise<number | null> {
  const [code] = (await once(child, 'close')) as [number | null]
  return code
}

async function listeningLine(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error('no stdout')
  for await (const line of createInterface({ input: child.stdout })) {
    const said: unknown = JSON.parse(line)
    if (typeof said === 'object' && said !== null && 'url' in said && typeof said.url === 'string')
      return said.url
  }
  return new Promise(() => {}) // stdout ended: `gone` tells why
}

/** Calls the API of a server and reads the JSON. */
export async function callApi(
  server: { readonly url: string },
  key: string,
  method: string,
  path: string,
  body?: object,
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into bodies freely
): Promise<{ readonly status: number; readonly body: any }> {
  const response = await fetch(server.url + path, {
    method,
    headers: { authorization: `Bearer ${key}`, ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  return { status: response.status, body: await response.json() }
}
