import { request } from 'node:http'
import { isJsonObject, parseJson, stringField } from '../../kit/json.ts'
import type { AdminCommand } from '../commands.ts'
import { findSocketPath } from './socket-path.ts'

const DEADLINE_MS = 30_000

/** No server answers on the socket of this data folder. */
export class NoRunningServer extends Error {}

/** The running server refused or failed the command; the message is fit for the operator. */
export class AdminCommandFailed extends Error {
  /** 503 while the server can't reach its database: the command may be sent again */
  readonly status: number

  constructor(message: string, status = 500) {
    super(message)
    this.status = status
  }
}

/**
 * Has the server that runs on this data folder carry out an admin command.
 *
 * @returns what the server's handler returned, as JSON
 * @throws NoRunningServer when there is none, AdminCommandFailed with the server's own words
 */
export async function callAdminSocket(
  dataDir: string,
  command: AdminCommand,
  deadlineMs = DEADLINE_MS,
): Promise<unknown> {
  const { status, text } = await post(findSocketPath(dataDir), JSON.stringify(command), deadlineMs)
  const body = parseJson(text)
  if (status === 200 && isJsonObject(body)) return body['result']
  const words = isJsonObject(body) ? stringField(body, 'error') : undefined
  throw new AdminCommandFailed(words ?? `the running server answered with status ${status}`, status)
}

function post(
  socketPath: string,
  body: string,
  deadlineMs: number,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(deadlineMs)
    const outgoing = request({ socketPath, method: 'POST', path: '/command', signal }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') })
      })
      response.on('error', reject)
    })
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      const absent = error.code === 'ENOENT' || error.code === 'ECONNREFUSED'
      if (absent) reject(new NoRunningServer('no server runs on this data folder', { cause: error }))
      else if (signal.aborted) reject(new AdminCommandFailed('the running server did not answer in time'))
      else reject(error)
    })
    outgoing.end(body)
  })
}
