import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createServer as createTcpServer, type AddressInfo } from 'node:net'
import type { BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { type MailProcess, mailProcess } from '../sdk/mail-process.ts'
import { type TestChromium, startChromium } from '../support/chromium.ts'
import { startDovecot, type TestDovecot } from '../support/dovecot.ts'
import { type Emulator, startEmulator } from '../support/emulate.ts'
import { startOAuthServer, type TestOAuthServer } from '../support/oauth-server.ts'
import { callApi, type ServerProcess } from '../support/server-process.ts'

/** An application of a customer: its callback is a page, and what came to it is kept. */
export interface CustomerApp {
  readonly callback: string
  /** an OpenID provider's consent page, always asking for consent */
  readonly consentUrl: string
  readonly calls: URLSearchParams[]
  stop(): Promise<void>
}

/** A browser with cookies of its own. */
export interface OpenBrowser {
  readonly context: BrowserContext
  readonly page: Page
  /** Closes it. Fails where a page's policy has blocked anything. */
  readonly close: () => Promise<void>
}

/** Browsers, the server as users run it, real providers and mail servers behind it, and an application. */
export interface BrowserWorld {
  readonly chromium: TestChromium
  readonly server: ServerProcess
  readonly process: MailProcess
  readonly customer: CustomerApp
  readonly mail: TestDovecot
  readonly clientId: string
  open(options?: BrowserContextOptions): Promise<OpenBrowser>
  /** The address of `/v3/connect/auth` with these parameters. */
  authUrl(parameters?: { readonly [name: string]: string }): string
  stop(): Promise<void>
}

async function startCustomerApp(consentUrl: string): Promise<CustomerApp> {
  const calls: URLSearchParams[] = []
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://app')
    if (url.pathname === '/cb') calls.push(url.searchParams)
    if (url.pathname === '/consent') {
      // OpenID Connect 1.0 section 11: no offline access without being asked.
      const location = `${consentUrl}${url.search}&prompt=consent`
      response.writeHead(302, { location }).end()
      return
    }
    response.setHeader('content-type', 'text/html')
    response.end(`<!doctype html><title>${url.pathname === '/cb' ? 'Back in the app' : 'The app'}</title>`)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    callback: `${url}/cb`,
    consentUrl: `${url}/consent`,
    calls,
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export async function startBrowserWorld(): Promise<BrowserWorld> {
  const port = await freePort()
  const base = `http://127.0.0.1:${port}`
  const redirectUri = `${base}/v3/connect/callback`
  const stops: (() => Promise<unknown>)[] = []
  const start = async <T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
    const started = await starting
    stops.unshift(() => started.stop())
    return started
  }
  const stop = async () => {
    for (const each of stops) await each()
  }
  try {
    const chromium = await start(startChromium())
    const oauth = await start(startOAuthServer())
    const mail = await start(startDovecot())
    const emulator = await start(startEmulator({ redirectUri }))
    const customer = await start(startCustomerApp(oauth.authorizeUrl))
    const environment = { GRANTWAY_PORT: String(port), ...endpoints(oauth, mail, emulator, customer) }
    const process = await mailProcess(mail, environment)
    stops.unshift(() => process.remove())
    const server = await process.start()
    stops.unshift(() => server.end('SIGTERM'))
    const clientId = await prepare(server, process.key, customer, emulator)
    return {
      chromium,
      server,
      process,
      customer,
      mail,
      clientId,
      open: (options) => openBrowser(chromium, options),
      authUrl(parameters = {}) {
        const query = {
          client_id: clientId,
          redirect_uri: customer.callback,
          response_type: 'code',
          ...parameters,
        }
        return `${base}/v3/connect/auth?${new URLSearchParams(query).toString()}`
      },
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Opens a browser of its own. */
export async function openBrowser(
  { browser }: TestChromium,
  options: BrowserContextOptions = {},
): Promise<OpenBrowser> {
  const context = await browser.newContext(options)
  context.setDefaultTimeout(20_000)
  const complaints: string[] = []
  context.on('console', (message) => {
    if (message.text().includes('Content Security Policy')) complaints.push(message.text())
  })
  return {
    context,
    page: await context.newPage(),
    async close() {
      await context.close()
      assert.deepEqual(complaints, [])
    },
  }
}

function endpoints(
  oauth: TestOAuthServer,
  mail: TestDovecot,
  { google }: Emulator,
  { consentUrl }: CustomerApp,
): { readonly [name: string]: string } {
  return {
    GRANTWAY_YAHOO_AUTHORIZE_URL: consentUrl,
    GRANTWAY_YAHOO_TOKEN_URL: oauth.tokenUrl,
    GRANTWAY_YAHOO_USERINFO_URL: oauth.userinfoUrl,
    GRANTWAY_YAHOO_IMAP: `localhost:${mail.imapPort}`,
    GRANTWAY_GOOGLE_AUTHORIZE_URL: `${google.url}/o/oauth2/v2/auth`,
    GRANTWAY_GOOGLE_TOKEN_URL: google.tokenUrl,
    GRANTWAY_GOOGLE_USERINFO_URL: `${google.url}/oauth2/v2/userinfo`,
  }
}

async function prepare(
  server: ServerProcess,
  key: string,
  customer: CustomerApp,
  { google }: Emulator,
): Promise<string> {
  const make = async (path: string, body: object) => {
    const made = await callApi(server, key, 'POST', path, body)
    assert.ok([200, 201].includes(made.status), JSON.stringify(made.body))
  }
  await make('/v3/connectors', {
    provider: 'google',
    settings: { client_id: google.clientId, client_secret: google.clientSecret },
    scope: ['openid', 'email', 'https://www.googleapis.com/auth/gmail.modify'],
  })
  await make('/v3/connectors', {
    provider: 'yahoo',
    settings: { client_id: 'basic-app', client_secret: 'basic-app-secret' },
    scope: ['offline_access', 'mail'],
  })
  await make('/v3/connectors', { provider: 'imap' })
  await make('/v3/connectors', { provider: 'icloud' })
  await make('/v3/applications/redirect-uris', { url: customer.callback })
  const { body } = await callApi(server, key, 'GET', '/v3/applications')
  return body.data.application_id
}

/** A port that is free now: providers must know the callback before the server listens. */
async function freePort(): Promise<number> {
  const probe = createTcpServer()
  await once(probe.listen(0, '127.0.0.1'), 'listening')
  const { port } = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  return port
}
