import assert from 'node:assert/strict'
import { type Sandbox, startSandbox } from '../../src/sandbox/start-sandbox.ts'
import type { Logger } from '../../src/kit/logger.ts'
import { type GrantwayApp, startGrantway } from './grantway-app.ts'

/** The composed product with a connector of each kind and the Google sandbox behind it, for imports. */
export interface ImportWorld {
  readonly app: GrantwayApp
  readonly sandbox: Sandbox
  /** Posts a body as it is. */
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into bodies freely
  send(body: string, query?: string, type?: string, key?: string): Promise<{ status: number; body: any }>
  /** Imports rows, which must be answered. @returns the report */
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into bodies freely
  load(rows: readonly object[], query?: string): Promise<any>
  /** The message about the one row, which must fail. */
  refusal(row: object, query?: string): Promise<string>
  /** The only grant of an address. */
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into bodies freely
  grantOf(email: string): Promise<any>
  deleteGrants(): Promise<void>
  stop(): Promise<void>
}

let tokens = 0
/** A refresh token that nobody has seen. */
export const newToken = () => `unused-token-${(tokens += 1)}`

export const ndjson = (rows: readonly object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('')

/** [rows, created, updated, skipped, failed] of a report. */
export const counts = ({ rows, created, updated, skipped, failed }: Record<string, unknown>) => [
  rows,
  created,
  updated,
  skipped,
  failed,
]

export async function startImportWorld(
  environment: { readonly [name: string]: string } = {},
  log?: Logger,
): Promise<ImportWorld> {
  const sandbox = await startSandbox({ host: '127.0.0.1' })
  const app = await startGrantway(
    {
      ...sandbox.endpoints,
      GRANTWAY_ICLOUD_IMAP: '127.0.0.1:1',
      GRANTWAY_ICLOUD_SMTP: '127.0.0.1:1',
      ...environment,
    },
    log === undefined ? {} : { log },
  )
  const settings = { client_id: 'sandbox-client-id', client_secret: 'sandbox-client-secret' }
  for (const provider of ['google', 'microsoft', 'imap', 'icloud', 'virtual-calendar']) {
    const isClient = ['google', 'microsoft'].includes(provider)
    const made = await app.call('POST', '/v3/connectors', {
      provider,
      ...(isClient ? { settings, scope: ['openid'] } : {}),
    })
    assert.equal(made.status, 201, made.text)
  }
  const world: ImportWorld = {
    app,
    sandbox,
    async send(body, query = '', type = 'application/x-ndjson', key = app.key) {
      const response = await fetch(`${app.url}/v3/grants/import${query}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': type },
        body,
      })
      return { status: response.status, body: await response.json() }
    },
    async load(rows, query = '') {
      const answer = await world.send(ndjson(rows), query)
      assert.equal(answer.status, 200, JSON.stringify(answer.body))
      return answer.body.data
    },
    async refusal(row, query = '') {
      const data = await world.load([row], query)
      assert.deepEqual(counts(data), [1, 0, 0, 0, 1], JSON.stringify(data))
      return data.errors[0].error.message
    },
    async grantOf(email) {
      const { body } = await app.call('GET', `/v3/grants?email=${encodeURIComponent(email)}`)
      assert.equal(body.data.length, 1, email)
      return body.data[0]
    },
    async deleteGrants() {
      for (const { id } of (await app.call('GET', '/v3/grants?limit=200')).body.data) {
        await app.call('DELETE', `/v3/grants/${id}`)
      }
    },
    async stop() {
      await app.stop()
      await sandbox.stop()
    },
  }
  return world
}
