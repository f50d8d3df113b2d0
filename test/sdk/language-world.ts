import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { stripVTControlCharacters } from 'node:util'
import { applicationId, grantId } from '../../src/contract/ids.ts'
import { startSandbox } from '../../src/sandbox/start-sandbox.ts'
import { SANDBOX_CLIENT_ID, SANDBOX_CLIENT_SECRET } from '../../src/sandbox/state.ts'
import { type GrantwayApp, startGrantway } from '../support/grantway-app.ts'
import { startWebhookReceiver } from '../support/webhook-receiver.ts'

const EMAIL = 'ada@sandbox.example'
const REDIRECT = 'https://app.example/cb'
const PATIENCE_MS = 120_000

/** What a program printed: for each name the words behind it. */
export type Printed = ReadonlyMap<string, readonly string[]>

/** The composed server with a sandbox for google, one grant, and programs in other languages that call it. */
export interface LanguageWorld {
  readonly app: GrantwayApp
  readonly clientId: string
  readonly grantId: string
  readonly email: string
  readonly credentialId: string
  readonly refreshToken: string
  /** Variables that the examples and the programs of calls read. */
  environment(): Promise<{ readonly [name: string]: string }>
  /** Runs a program to its end, gives a code for the challenge of each `pkce_url` it prints. Fails where it fails. */
  run(command: string, parameters: readonly string[], folder: string): Promise<Printed>
  code(challenge?: string): Promise<string>
  stop(): Promise<void>
}

export async function startLanguageWorld(): Promise<LanguageWorld> {
  const sandbox = await startSandbox({ host: '127.0.0.1' })
  const receiver = await startWebhookReceiver()
  const app = await startGrantway({ ...sandbox.endpoints, GRANTWAY_ALLOWED_NETWORKS: '127.0.0.0/8' })
  const make = async (path: string, body: object) => {
    const made = await app.call('POST', path, body)
    assert.ok([200, 201].includes(made.status), made.text)
    return made.body.data
  }
  const clientId: string = (await app.call('GET', '/v3/applications')).body.data.application_id
  await make('/v3/connectors', {
    provider: 'google',
    settings: { client_id: SANDBOX_CLIENT_ID, client_secret: SANDBOX_CLIENT_SECRET },
    scope: ['openid', 'https://www.googleapis.com/auth/gmail.readonly'],
  })
  await make('/v3/connectors', {
    provider: 'microsoft',
    settings: { client_id: 'ms-client', client_secret: 'ms-secret' },
  })
  const { id: credentialId } = await make('/v3/connectors/microsoft/creds', {
    name: 'admin',
    credential_type: 'adminconsent',
    credential_data: { client_id: 'admin-client', client_secret: 'admin-secret' },
  })
  await make('/v3/applications/redirect-uris', { url: REDIRECT })
  const refreshToken = sandbox.control.mintRefreshToken(EMAIL)
  const { id: grant } = await make('/v3/connect/custom', {
    provider: 'google',
    settings: { refresh_token: refreshToken },
  })
  const { services, database } = app.application
  const code = (challenge: string | null = null) =>
    services.tokens.issueCode(database.stores, {
      applicationId: applicationId(clientId),
      grantId: grantId(grant),
      redirectUri: REDIRECT,
      challenge,
      challengeMethod: challenge === null ? null : 'S256',
      offline: true,
    })
  const environment = async () => ({
    NYLAS_API_KEY: app.key,
    NYLAS_API_URI: app.url,
    NYLAS_CLIENT_ID: clientId,
    REFRESH_TOKEN: refreshToken,
    REDIRECT_URI: REDIRECT,
    CREDENTIAL_ID: credentialId,
    WEBHOOK_URL: `${receiver.url}/hook`,
    CODE: await code(),
  })
  return {
    app,
    clientId,
    grantId: grant,
    email: EMAIL,
    credentialId,
    refreshToken,
    environment,
    code,
    async run(command, parameters, folder) {
      const child = spawn(command, parameters, {
        cwd: folder,
        env: { ...process.env, ...(await environment()) },
        stdio: ['pipe', 'pipe', 'pipe'],
        timeout: PATIENCE_MS,
      })
      return printed(child, async (url) => `${await code(url.searchParams.get('code_challenge') ?? '')}\n`)
    },
    async stop() {
      await app.stop()
      await receiver.stop()
      await sandbox.stop()
    },
  }
}

async function printed(child: ChildProcess, answer: (url: URL) => Promise<string>): Promise<Printed> {
  const { stdin, stdout, stderr } = child
  if (!stdin || !stdout || !stderr) throw new Error('the program has no pipes')
  const closed = once(child, 'close')
  const complaints: string[] = []
  stderr.on('data', (part: Buffer) => complaints.push(part.toString('utf8')))
  // A program that ends early closes its input; what it said then matters, not the pipe.
  stdin.on('error', (error) => complaints.push(error.message))
  const lines = new Map<string, readonly string[]>()
  for await (const line of createInterface({ input: stdout })) {
    // Maven resets colours that it has not set.
    const [name = '', ...values] = stripVTControlCharacters(line).split(' ')
    if (name === '') continue
    lines.set(name, values)
    if (name === 'pkce_url') stdin.write(await answer(new URL(values[0] ?? '')))
  }
  const [status] = await closed
  assert.equal(status, 0, `${complaints.join('')}\n${[...lines].join('\n')}`)
  return lines
}
