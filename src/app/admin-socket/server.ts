import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { AppError } from '../../kit/app-error.ts'
import { parseJson } from '../../kit/json.ts'
import type { AdminCommand } from '../commands.ts'
import { readAdminCommand } from './read-command.ts'
import { chooseSocketPath, removeSocket } from './socket-path.ts'

/** A batch of an import is the largest command: its rows, and the quotes around them. */
const MAX_BODY_BYTES = 16 * 1024 * 1024

export interface AdminSocket {
  readonly path: string
  /** Stops answering, waits for commands under way, and removes the socket. */
  stop(): Promise<void>
}

/**
 * Answers admin commands on a unix socket (mode 0600) of the data folder. Call it while holding the folder's
 * process lock: a socket that is there already is then a dead server's, and is removed.
 *
 * @param handle  runs a command; the message of its error is shown to the operator
 */
export async function startAdminSocket(options: {
  readonly dataDir: string
  readonly handle: (command: AdminCommand) => Promise<unknown>
}): Promise<AdminSocket> {
  const path = chooseSocketPath(options.dataDir)
  const server = createServer((request, response) => {
    void answer(request, response, options.handle)
  })
  await listenPrivately(server, path)
  return {
    path,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => {
          removeSocket(options.dataDir, path)
          resolve()
        })
        server.closeIdleConnections()
      }),
  }
}

function listenPrivately(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    // Node binds inside listen(), so the mask covers the socket's birth: there is no moment with a wider mode.
    const before = process.umask(0o177)
    try {
      server.listen(path, () => {
        server.off('error', reject)
        resolve()
      })
    } finally {
      process.umask(before)
    }
  })
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  handle: (command: AdminCommand) => Promise<unknown>,
): Promise<void> {
  const { status, body } = await run(request, handle).catch((error: unknown) => ({
    status: error instanceof AppError && error.status === 503 ? 503 : 500,
    body: { error: error instanceof Error ? error.message : 'the command failed' },
  }))
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close' })
  response.end(JSON.stringify(body))
}

async function run(
  request: IncomingMessage,
  handle: (command: AdminCommand) => Promise<unknown>,
): Promise<{ status: number; body: object }> {
  const text = await readBody(request)
  if (text === undefined) return { status: 413, body: { error: 'the command is too large' } }
  const command = readAdminCommand(parseJson(text))
  if (!command) {
    return {
      status: 400,
      body: { error: 'the running server does not know this command: it may be of another version' },
    }
  }
  return { status: 200, body: { result: await handle(command) } }
}

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk)
    sizeBytes += bytes.length
    if (sizeBytes > MAX_BODY_BYTES) return undefined
    chunks.push(bytes)
  }
  return Buffer.concat(chunks).toString('utf8')
}
