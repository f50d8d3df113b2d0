// A user's way through hosted authentication, in Chromium, against real counterparts: a consent page, an OpenID
// provider, Dovecot and Postfix.
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import type { Page } from 'playwright-core'
import { startGrantway } from '../support/grantway-app.ts'
import { callApi } from '../support/server-process.ts'
import { type BrowserWorld, openBrowser, startBrowserWorld } from './browser-world.ts'

const CAROL = 'carol@testworld.example'

let world: BrowserWorld
before(async () => {
  world = await startBrowserWorld()
})
beforeEach(() => {
  world.customer.calls.length = 0
})
after(() => world?.stop())

const atPage = (page: Page, name: string) => page.getByRole('heading', { level: 1, name }).waitFor()
const backInTheApp = async (page: Page) => {
  await page.waitForURL(`${world.customer.callback}?**`)
  return world.customer.calls
}

/** No page is wider than the screen, and what is to be touched is big enough (WCAG 2.2, 2.5.5). */
async function assertFits(page: Page): Promise<void> {
  const { width } = page.viewportSize() ?? { width: 0 }
  assert.ok(Number(await page.evaluate('document.documentElement.scrollWidth')) <= width, page.url())
  for (const control of await page.locator('button:visible, input:visible, summary:visible').all()) {
    const box = await control.boundingBox()
    assert.ok(box && box.height >= 44, `${await control.textContent()} is ${box?.height} high`)
  }
}

/** Fills in the form of an IMAP mailbox, as somebody who knows his servers. */
async function fillIn(page: Page, password: string): Promise<void> {
  await page.getByLabel('Email address').fill(CAROL)
  await page.getByLabel('Password', { exact: true }).fill(password)
  if (!(await page.getByLabel('IMAP server').isVisible())) await page.getByText('Server settings').click()
  await page.getByLabel('IMAP server').fill('localhost')
  await page.getByLabel('IMAP port').fill(String(world.mail.imapPort))
  await page.getByLabel('SMTP server').fill('localhost')
  await page.getByLabel('SMTP port').fill(String(world.mail.smtpStarttlsPort))
}

async function exchange(code: string | null | undefined) {
  const { server, process, clientId, customer } = world
  const answer = await callApi(server, process.key, 'POST', '/v3/connect/token', {
    grant_type: 'authorization_code',
    client_id: clientId,
    client_secret: process.key,
    redirect_uri: customer.callback,
    code,
  })
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
  return answer.body
}

test('from the chooser over the consent page to a code that is worth a grant, without script', async () => {
  const { page, close } = await world.open({ javaScriptEnabled: false })
  await page.goto(world.authUrl({ state: 'st&te' }))
  await atPage(page, 'Connect your email account')
  await page.getByRole('button', { name: 'Continue with Google' }).click()
  await page.waitForURL('**/o/oauth2/v2/auth**')
  await page.locator('button', { hasText: 'alice@testworld.example' }).click()
  const [call] = await backInTheApp(page)
  assert.equal(call?.get('state'), 'st&te')
  const token = await exchange(call?.get('code'))
  assert.equal(token.email, 'alice@testworld.example')
  const { body } = await callApi(world.server, token.access_token, 'GET', '/v3/grants/me')
  assert.deepEqual([body.data.id, body.data.provider], [token.grant_id, 'google'])
  await close()
})

test('a cookie that scripts can’t read, and nothing of the session in the address bar', async () => {
  const { context, page, close } = await world.open()
  await page.goto(world.authUrl({ state: 'canary' }))
  const [cookie] = await context.cookies()
  assert.deepEqual([cookie?.name, cookie?.httpOnly, cookie?.sameSite], ['gw', true, 'Lax'])
  assert.match(page.url(), /\/v3\/connect\/login\/[0-9a-f-]{36}$/)
  assert.ok(!page.url().includes(cookie?.value ?? 'none'))
  await close()
})

test('consent that is given to an OpenID provider, and consent that is refused', async () => {
  const { page, close } = await world.open()
  await page.goto(world.authUrl({ login_hint: CAROL }))
  await page.getByRole('button', { name: 'Continue with Yahoo' }).click()
  await backInTheApp(page)
  assert.equal((await exchange(world.customer.calls[0]?.get('code'))).email, CAROL)
  await page.goto(world.authUrl({ login_hint: 'deny@testworld.example', state: 's2' }))
  await page.getByRole('button', { name: 'Continue with Yahoo' }).click()
  await page.waitForURL(`${world.customer.callback}?error=**`)
  const refused = world.customer.calls.at(-1)
  assert.deepEqual(
    [refused?.get('error'), refused?.get('state'), refused?.get('code')],
    ['access_denied', 's2', null],
  )
  await close()
})

test('the form of a mailbox by keyboard alone: a wrong password, then the right one', async () => {
  const { page, close } = await world.open()
  await page.goto(world.authUrl({ provider: 'imap', login_hint: CAROL }))
  await atPage(page, 'Connect your mailbox')
  const focused = () => page.evaluate('document.activeElement.name || document.activeElement.localName')
  const press = async (...keys: readonly string[]) => {
    for (const key of keys) await page.keyboard.press(key)
  }
  assert.equal(await focused(), 'imap_password')
  await page.keyboard.type('wrong')
  await press('Tab')
  assert.equal(await focused(), 'summary')
  await press('Enter', 'Tab')
  assert.equal(await focused(), 'imap_host')
  for (const value of ['localhost', world.mail.imapPort, 'localhost', world.mail.smtpStarttlsPort]) {
    await page.keyboard.type(String(value))
    await press('Tab')
  }
  await press('Enter')
  const alert = page.getByRole('alert')
  await alert.waitFor()
  assert.match((await alert.textContent()) ?? '', /refused the user name or password/)
  assert.match(await page.title(), /^Error: /)
  // What was typed is still there, but for the password; that is where to go on.
  assert.equal(await focused(), 'imap_password')
  assert.equal(await page.getByLabel('IMAP port').inputValue(), String(world.mail.imapPort))
  assert.equal(await page.getByLabel('Password', { exact: true }).inputValue(), '')
  await page.keyboard.type('carol-pass')
  await press('Enter')
  const [call] = await backInTheApp(page)
  const tokens = await exchange(call?.get('code'))
  assert.equal(tokens.email, CAROL)
  const mail = await callApi(world.server, tokens.access_token, 'GET', '/v3/grants/me/messages?limit=3')
  assert.equal(mail.status, 200, JSON.stringify(mail.body))
  assert.ok(Array.isArray(mail.body.data))
  // Back: the sign-in is over, nothing is sent again.
  await page.goBack()
  await atPage(page, 'This sign-in is over')
  assert.equal(world.customer.calls.length, 1)
  await close()
})

test('a double click sends the form once and still arrives', async () => {
  const { page, close } = await world.open()
  await page.goto(world.authUrl({ provider: 'imap' }))
  await fillIn(page, 'carol-pass')
  await page.getByRole('button', { name: 'Connect' }).dblclick({ noWaitAfter: true })
  const calls = await backInTheApp(page)
  assert.equal(calls.length, 1)
  assert.equal((await exchange(calls[0]?.get('code'))).email, CAROL)
  await close()
})

test('back from the provider’s page leads to the choice, and another choice works', async () => {
  const { page, close } = await world.open()
  await page.goto(world.authUrl())
  const login = page.url()
  await page.getByRole('button', { name: 'Continue with Google' }).click()
  await page.waitForURL('**/o/oauth2/v2/auth**')
  await page.goBack()
  assert.equal(page.url(), login)
  await page.getByRole('button', { name: 'Continue with another provider (IMAP)' }).click()
  await atPage(page, 'Connect your mailbox')
  assert.equal(page.url(), login)
  await page.reload()
  await atPage(page, 'Connect your mailbox')
  await page.getByRole('button', { name: 'Choose another provider' }).click()
  await atPage(page, 'Connect your email account')
  await page.getByRole('button', { name: /^Cancel/ }).click()
  await page.waitForURL(`${world.customer.callback}?error=access_denied**`)
  await close()
})

test('an address that nobody knows is told, and kept', async () => {
  const { page, close } = await world.open()
  await page.goto(world.authUrl({ prompt: 'detect' }))
  await page.getByLabel('Email address').fill('no address')
  await page.keyboard.press('Enter')
  assert.equal(await page.getByRole('alert').textContent(), 'This is not an email address.')
  assert.equal(await page.getByLabel('Email address').inputValue(), 'no address')
  await page.getByLabel('Email address').fill('someone@icloud.com')
  await page.keyboard.press('Enter')
  await atPage(page, 'Connect iCloud')
  assert.equal(await page.getByLabel('iCloud email address').inputValue(), 'someone@icloud.com')
  assert.ok(await page.getByRole('link', { name: /app-specific password/ }).isVisible())
  await close()
})

test('on a phone every page fits, and can be touched', async () => {
  for (const width of [320, 375]) {
    const viewport = { width, height: 640 }
    const { page, close } = await world.open({ viewport, isMobile: true, hasTouch: true })
    await page.goto(
      world.authUrl({ prompt: 'select_provider,detect', login_hint: `${'x'.repeat(60)}@a.example` }),
    )
    await assertFits(page)
    await page.getByRole('button', { name: 'Continue with iCloud' }).tap()
    await atPage(page, 'Connect iCloud')
    await assertFits(page)
    await page.goto(world.authUrl({ provider: 'imap' }))
    await page.getByText('Server settings').tap()
    await assertFits(page)
    await page.goto(world.authUrl({ redirect_uri: 'https://elsewhere.example' }))
    await atPage(page, 'This link does not work')
    await assertFits(page)
    await close()
  }
})

test('the address of a session is worth nothing in another browser', async () => {
  const [mine, other] = [await world.open(), await world.open()]
  await mine.page.goto(world.authUrl())
  await other.page.goto(mine.page.url())
  await atPage(other.page, 'This sign-in is over')
  await mine.close()
  await other.close()
})

test('two sign-ins side by side in one browser both arrive', async () => {
  const { context, page, close } = await world.open()
  const second = await context.newPage()
  await page.goto(world.authUrl({ state: 'one' }))
  await second.goto(world.authUrl({ state: 'two' }))
  for (const each of [page, second]) {
    await each.getByRole('button', { name: 'Continue with Google' }).click()
    await each.waitForURL('**/o/oauth2/v2/auth**')
  }
  for (const each of [page, second]) {
    await each.locator('button', { hasText: 'bob@testworld.example' }).click()
    await backInTheApp(each)
  }
  assert.deepEqual(
    world.customer.calls.map((call) => [call.get('state'), call.has('code')]),
    [
      ['one', true],
      ['two', true],
    ],
  )
  await close()
})

test('an application that opened the pages in a popup is not cut off from it', async () => {
  const { context, page, close } = await world.open()
  await page.goto(new URL('/', world.customer.callback).href)
  const opened = context.waitForEvent('page')
  await page.evaluate(`globalThis.popup = window.open(${JSON.stringify(world.authUrl())}); 0`)
  const popup = await opened
  await popup.getByRole('heading', { level: 1 }).waitFor()
  assert.equal(await page.evaluate('popup.closed'), false)
  await popup.getByRole('button', { name: /^Cancel/ }).click()
  await popup.waitForURL(`${world.customer.callback}?**`)
  assert.match(String(await page.evaluate('popup.location.search')), /error=access_denied/)
  await close()
})

test('a form of another site does nothing', async () => {
  const { page, close } = await world.open()
  await page.goto(world.authUrl())
  const login = page.url()
  const token = await page.locator('input[name=csrf]').first().inputValue()
  // A neighbour, as browsers see it: the same host, so the cookie comes along.
  await page.goto(new URL('/', world.customer.callback).href)
  await page.setContent(
    `<form method="post" action="${login}/cancel"><input name="csrf" value="${token}"><button>x</button></form>`,
  )
  await page.getByRole('button').click()
  await atPage(page, 'Please send the form again')
  assert.equal(world.customer.calls.length, 0)
  await page.getByRole('link', { name: 'Back to the sign-in page' }).click()
  await atPage(page, 'Connect your email account')
  await close()
})

test('a sign-in that took too long says so, and what to do', async () => {
  const app = await startGrantway()
  const { page, close } = await openBrowser(world.chromium)
  try {
    await app.call('POST', '/v3/connectors', { provider: 'imap' })
    await app.call('POST', '/v3/applications/redirect-uris', { url: world.customer.callback })
    const { body } = await app.call('GET', '/v3/applications')
    const query = {
      client_id: body.data.application_id,
      redirect_uri: world.customer.callback,
      response_type: 'code',
    }
    await page.goto(`${app.url}/v3/connect/auth?${new URLSearchParams(query).toString()}`)
    app.clock.advance(11 * 60_000)
    await page.getByRole('button', { name: /IMAP/ }).click()
    await atPage(page, 'This sign-in is over')
    assert.ok(await page.getByText(/Go back to the app and start again/).isVisible())
  } finally {
    await close()
    await app.stop()
  }
})
