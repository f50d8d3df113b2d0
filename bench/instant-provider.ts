// A stand-in for Google's token and userinfo endpoints that answers at once: what is measured is Grantway.
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as later } from 'node:timers/promises'

export interface InstantProvider {
  /** Variables that point a server to it. */
  readonly environment: Record<string, string>
  /** When each token call came, in milliseconds of `performance.now()`. */
  readonly tokenCalls: readonly number[]
  /** Makes it take so long over a token from now on. */
  delayTokens(ms: number): void
  stop(): Promise<void>
}

/** Starts it on a free port. The refresh token `refresh-N` belongs to the account `user-N@example.com`. */
export async function startInstantProvider(): Promise<InstantProvider> {
  const tokenCalls: number[] = []
  let delayMs = 0
  const server = createServer((request, response) => {
    void answer(request).then(async (body) => {
      if (request.url === '/token') {
        tokenCalls.push(performance.now())
        if (delayMs > 0) await later(delayMs)
      }
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    })
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    environment: {
      GRANTWAY_GOOGLE_TOKEN_URL: `${url}/token`,
      GRANTWAY_GOOGLE_USERINFO_URL: `${url}/userinfo`,
    },
    tokenCalls,
    delayTokens(ms) {
      delayMs = ms
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function answer(request: IncomingMessage): Promise<object> {
  if (request.url === '/userinfo') {
    const account = request.headers.authorization?.replace('Bearer access-', '') ?? 'nobody'
    return { sub: account, email: `user-${account}@example.com`, email_verified: true }
  }
  let form = ''
  for await (const chunk of request) form += String(chunk)
  const account = new URLSearchParams(form).get('refresh_token')?.replace('refresh-', '') ?? 'nobody'
  return { access_token: `access-${account}`, token_type: 'Bearer', expires_in: 3600, scope: 'openid email' }
}
