// The browser library `@nylas/connect`, unmodified, in Chromium: a page of an application with a js callback address,
// the composed server, and a provider's consent page.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createTcpServer, type AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { startChromium, type TestChromium } from '../support/chromium.ts'
import { type Emulator, startEmulator } from '../support/emulate.ts'
import { type GrantwayApp, startGrantway } from '../support/grantway-app.ts'

const ALICE = 'alice@testworld.example'
const LIBRARY = fileURLToPath(import.meta.resolve('@nylas/connect'))

interface Spa {
  readonly port: number
  stop(): Promise<void>
}

let chromium: TestChromium
let emulator: Emulator
let app: GrantwayApp
let spa: Spa
let clientId: string

before(async () => {
  const port = await freePort()
  const base = `http://127.0.0.1:${port}`
  chromium = await startChromium()
  emulator = await startEmulator({ redirectUri: `${base}/v3/connect/callback` })
  const { google } = emulator
  app = await startGrantway({
    GRANTWAY_PORT: String(port),
    GRANTWAY_GOOGLE_AUTHORIZE_URL: `${google.url}/o/oauth2/v2/auth`,
    GRANTWAY_GOOGLE_TOKEN_URL: google.tokenUrl,
    GRANTWAY_GOOGLE_USERINFO_URL: `${google.url}/oauth2/v2/userinfo`,
  })
  clientId = (await app.call('GET', '/v3/applications')).body.data.application_id
  spa = await startSpa()
  await make('/v3/connectors', {
    provider: 'google',
    settings: { client_id: google.clientId, client_secret: google.clientSecret },
    scope: ['openid', 'email', 'https://www.googleapis.com/auth/gmail.modify'],
  })
  await make('/v3/connectors', { provider: 'imap' })
  const origin = `http://127.0.0.1:${spa.port}`
  await make('/v3/applications/redirect-uris', {
    url: `${origin}/callback`,
    platform: 'js',
    settings: { origin },
  })
})
after(async () => {
  await spa?.stop()
  await app?.stop()
  await emulator?.stop()
  await chromium?.stop()
})

async function make(path: string, body: object): Promise<void> {
  const made = await app.call('POST', path, body)
  assert.ok([200, 201].includes(made.status), made.text)
}

/** An application of one page: loads the library, and handles the callback as the library's guide has it. */
async function startSpa(): Promise<Spa> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://app')
    if (pathname === '/nylas-connect.js') {
      response.setHeader('content-type', 'text/javascript')
      response.end(readFileSync(LIBRARY))
      return
    }
    response.setHeader('content-type', 'text/html')
    response.end(`<!doctype html><title>The app</title><button>Connect</button><script type="module">
      import { NylasConnect } from '/nylas-connect.js'
      const client = new NylasConnect({
        clientId: '${clientId}', redirectUri: location.origin + '/callback', apiUrl: '${app.url}',
      })
      window.client = client
      window.connected = new Promise((resolve) => {
        if (location.pathname === '/callback') resolve(client.callback())
        document.querySelector('button').onclick = () => resolve(client.connect({ method: 'popup' }))
      }).catch((error) => ({ error: error.message, description: error.description }))
    </script>`)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function open(
  host = '127.0.0.1',
): Promise<{ readonly page: Page; readonly close: () => Promise<void> }> {
  const context = await chromium.browser.newContext()
  context.setDefaultTimeout(20_000)
  const page = await context.newPage()
  await page.goto(`http://${host}:${spa.port}/`)
  await page.waitForFunction('window.client')
  return { page, close: () => context.close() }
}

const consent = (page: Page) => page.locator('button', { hasText: ALICE }).click()

interface Session {
  readonly accessToken: string
  readonly grantId: string
  readonly scope: string
  readonly grantInfo: { readonly [name: string]: unknown }
}

/** What the library gave its page, and that it is worth what it says. */
async function assertConnected(page: Page): Promise<void> {
  const session: Session = await page.evaluate('window.connected')
  assert.deepEqual(
    [session.grantInfo?.['email'], session.grantInfo?.['provider'], session.grantInfo?.['id']],
    [ALICE, 'google', session.grantId],
    JSON.stringify(session),
  )
  assert.match(session.scope, /gmail\.modify/)
  // Asks tokeninfo.
  assert.equal(await page.evaluate('client.getConnectionStatus()'), 'connected')
  const me: { readonly status: number; readonly body: { readonly data: { readonly id: string } } } =
    await page.evaluate(`fetch('${app.url}/v3/grants/me', {
      headers: { authorization: 'Bearer ${session.accessToken}' },
    }).then(async (answer) => ({ status: answer.status, body: await answer.json() }))`)
  assert.deepEqual([me.status, me.body.data.id], [200, session.grantId])
  const found = await app.call('GET', `/v3/grants/${session.grantId}`)
  assert.equal(found.body.data.email, ALICE)
}

test('connects by redirect to a given provider, and reads its own grant', async () => {
  const { page, close } = await open()
  const url: string = await page.evaluate(`client.connect({ method: 'inline', provider: 'google' })`)
  assert.equal(new URL(url).searchParams.get('code_challenge_method'), 'S256')
  await page.goto(url)
  await page.waitForURL(`${emulator.google.url}/**`)
  await consent(page)
  await page.waitForURL('**/callback**')
  await page.waitForFunction('window.client')
  await assertConnected(page)
  // The library takes code and state out of the address.
  assert.equal(new URL(page.url()).search, '')
  await close()
})

test('connects in a popup through the chooser, which keeps its way back to the page', async () => {
  const { page, close } = await open()
  const opened = page.waitForEvent('popup')
  await page.getByRole('button', { name: 'Connect' }).click()
  const popup = await opened
  await popup.getByRole('button', { name: 'Continue with Google' }).click()
  await popup.waitForURL(`${emulator.google.url}/**`)
  await consent(popup)
  await assertConnected(page)
  assert.ok(popup.isClosed())
  await close()
})

test('an address that is not registered gets nothing: no redirect, and no answer across origins', async () => {
  const { page, close } = await open('localhost')
  const url: string = await page.evaluate(`client.connect({ method: 'inline', provider: 'google' })`)
  const refused = await page.goto(url)
  assert.equal(refused?.status(), 400)
  assert.equal(new URL(page.url()).origin, app.url)
  await page.goto(`http://localhost:${spa.port}/callback?code=any&state=other`)
  await page.waitForFunction('window.client')
  const said: string = await page.evaluate(
    `fetch('${app.url}/v3/connect/token', { method: 'POST' }).then(() => 'read', (error) => error.name)`,
  )
  assert.equal(said, 'TypeError')
  await close()
})

/** A port that is free now: the provider must know the callback before the server listens. */
async function freePort(): Promise<number> {
  const probe = createTcpServer()
  await once(probe.listen(0, '127.0.0.1'), 'listening')
  const { port } = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  return port
}
