import { randomUUID } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MAIL_WORLD, readEnv, STOP_IF_LAST, underLock, value } from './dovecot.ts'

const SCRIPT = join(import.meta.dirname, 'testworld', 'start-oauth.sh')

export interface MintedTokens {
  readonly refresh_token: string
  readonly access_token: string
}

export interface TestOAuthServer {
  readonly authorizeUrl: string
  readonly tokenUrl: string
  readonly userinfoUrl: string
  readonly clientId: string
  readonly clientSecret: string
  /** Gives tokens for a user without a browser. */
  mint(email: string, clientId?: string): Promise<MintedTokens>
  /** The user withdraws consent: all tokens of that grant die. */
  revoke(refreshToken: string): Promise<void>
  /** Ends this process's use; the last process that uses the server ends it. */
  stop(): Promise<void>
}

/** Starts the OAuth server whose access tokens the test Dovecot takes, or joins the running one. */
export async function startOAuthServer(): Promise<TestOAuthServer> {
  const users = join(MAIL_WORLD, 'oauth-users')
  await mkdir(users, { recursive: true })
  const user = join(users, `${process.pid}-${randomUUID()}`)
  await underLock('oauth.lock', 'touch "$1" && "$2" start', [user, SCRIPT])
  const env = readEnv(await readFile(join(MAIL_WORLD, 'oauth', 'env'), 'utf8'))
  const issuer = value(env, 'TW_OAUTH_ISSUER')
  return {
    authorizeUrl: value(env, 'TW_OAUTH_AUTHORIZE'),
    tokenUrl: value(env, 'TW_OAUTH_TOKEN'),
    userinfoUrl: value(env, 'TW_OAUTH_USERINFO'),
    clientId: value(env, 'TW_OAUTH_CLIENT_ID'),
    clientSecret: value(env, 'TW_OAUTH_CLIENT_SECRET'),
    mint: async (email, client_id = 'mail-app') =>
      (await post(value(env, 'TW_OAUTH_MINT'), { email, client_id })) as MintedTokens,
    revoke: async (refreshToken) => {
      await post(`${issuer}/testworld/revoke`, { refresh_token: refreshToken })
    },
    async stop() {
      await underLock('oauth.lock', STOP_IF_LAST, [user, SCRIPT])
    },
  }
}

async function post(url: string, body: object): Promise<unknown> {
  const answer = await fetch(url, { method: 'POST', body: JSON.stringify(body) })
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`)
  return answer.json()
}
