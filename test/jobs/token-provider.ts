import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A stand-in for Google's token endpoint that notes when it is asked, and can be down or silent. */
export interface TokenProvider {
  /** Variables that point a server to it. */
  readonly environment: { readonly [name: string]: string }
  /** Every token call, whatever came of it: whose, and when by the given clock. */
  readonly calls: readonly { readonly account: string; readonly atMs: number }[]
  /** `silent` keeps answers back until the mode changes. */
  setMode(mode: 'up' | 'down' | 'silent'): void
  stop(): Promise<void>
}

/** Starts it on a free port. The refresh token `refresh-N` belongs to the account `user-N@example.com`. */
export async function startTokenProvider(nowMs: () => number): Promise<TokenProvider> {
  const calls: { account: string; atMs: number }[] = []
  let mode: 'up' | 'down' | 'silent' = 'up'
  let kept: (() => void)[] = []

  const server = createServer((request, response) => void answer(request, response))
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url === '/revoke') return send(response, 200, {})
    if (request.url === '/userinfo') {
      const account = request.headers.authorization?.replace('Bearer access-', '') ?? 'nobody'
      return send(response, 200, { sub: account, email: `user-${account}@example.com`, email_verified: true })
    }
    let form = ''
    for await (const chunk of request) form += String(chunk)
    const account = new URLSearchParams(form).get('refresh_token')?.replace('refresh-', '') ?? 'nobody'
    calls.push({ account, atMs: nowMs() })
    if (mode === 'silent') await new Promise<void>((resolve) => kept.push(resolve))
    if (mode === 'down') return send(response, 503, { error: 'temporarily_unavailable' })
    send(response, 200, { access_token: `access-${account}`, token_type: 'Bearer', expires_in: 3600 })
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const setMode = (next: typeof mode) => {
    mode = next
    for (const release of kept) release()
    kept = []
  }
  return {
    environment: {
      GRANTWAY_GOOGLE_TOKEN_URL: `${url}/token`,
      GRANTWAY_GOOGLE_REVOKE_URL: `${url}/revoke`,
      GRANTWAY_GOOGLE_USERINFO_URL: `${url}/userinfo`,
    },
    calls,
    setMode,
    async stop() {
      setMode('up')
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

/** Waits, at most ten seconds, for what happens in the background. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 10_000
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error(`in ten seconds it has not come true that ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}
