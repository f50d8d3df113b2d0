// The forms of hosted authentication: what they answer, sent once, twice, wrong, and by others.
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import type { HostedStep } from '../../src/core/ports/oauth-services.ts'
import { randomIds } from '../../src/kit/ids.ts'
import { type Browser, type HostedApp, startHostedApp } from './hosted-client.ts'
import { assertGoodPage, readPage } from './page-reader.ts'
import { CHOOSE, IMAP_FORM, OVER, PLAIN } from './stub-hosted.ts'

const JSON_ONLY = { accept: 'application/json' }
const HOME = { kind: 'redirect', url: 'https://app.example/cb?x=1&code=c0de&state=s' } as const
const PROVIDER = { kind: 'redirect', url: 'https://accounts.example/auth?state=n0nce' } as const

let hosted: HostedApp
before(async () => {
  hosted = await startHostedApp()
})
beforeEach(() => {
  hosted.stub.step = CHOOSE
  hosted.stub.branding = PLAIN
  hosted.stub.before = () => Promise.resolve()
  hosted.stub.asked.length = 0
})
after(() => hosted.close())

const asked = () => hosted.stub.asked.map(({ method }) => method)
const lastMethod = () => hosted.stub.asked.at(-1)?.method
const lastAsked = () => hosted.stub.asked.at(-1)?.with ?? []

test('a choice without anything typed is answered by 303, so that reload and back are harmless', async () => {
  const browser = hosted.browser()
  const { path, token } = await browser.open()
  for (const step of [IMAP_FORM, CHOOSE]) {
    hosted.stub.step = step
    const answer = await browser.post(`${path}/provider`, { csrf: token, provider: 'imap' })
    assert.deepEqual([answer.status, answer.headers.get('location')], [303, path])
    assert.deepEqual(lastAsked(), ['imap'])
  }
  await browser.post(`${path}/provider`, { csrf: token, provider: '' })
  assert.deepEqual(lastAsked(), [''])
  for (const action of ['provider', 'detect', 'form', 'cancel']) {
    const answer = await browser.get(`${path}/${action}`)
    assert.deepEqual([answer.status, answer.headers.get('location')], [303, path])
  }
})

test('a form that leads away answers a page that goes on by itself: no redirect behind a form', async () => {
  for (const [step, action] of [
    [PROVIDER, 'provider'],
    [PROVIDER, 'detect'],
    [HOME, 'form'],
    [HOME, 'cancel'],
  ] as const) {
    hosted.stub.step = CHOOSE
    const browser = hosted.browser()
    const { path, token } = await browser.open()
    hosted.stub.step = step
    const page = await readPage(
      await browser.post(`${path}/${action}`, { csrf: token, email: 'a@b.example' }),
    )
    assert.equal(page.status, 200)
    assertGoodPage(page, action)
    const url = step.url.replaceAll('&', '&amp;')
    assert.ok(page.html.includes(`<meta http-equiv="refresh" content="0; url=${url}">`))
    assert.ok(page.html.includes(`<a class="button main" href="${url}">`))
  }
})

test('what was typed comes back with what is wrong, once, and without the passwords', async () => {
  const browser = hosted.browser()
  const { path, token } = await browser.open()
  const typed = IMAP_FORM.fields.map((one) => ({
    ...one,
    value: one.type === 'password' ? 'hunter2' : 'typed-here',
    advanced: false,
    ...(one.name === 'imap_port' ? { error: 'Not a port.' } : {}),
  }))
  hosted.stub.step = { ...IMAP_FORM, error: 'The password is wrong.', fields: typed }
  const fields = { csrf: token, imap_username: 'ada@example.com', imap_password: ' hunter2 ' }
  const answer = await browser.post(`${path}/form`, fields)
  assert.deepEqual([answer.status, answer.headers.get('location')], [303, path])
  assert.deepEqual(lastAsked()[0], { imap_username: 'ada@example.com', imap_password: ' hunter2 ' })
  assert.match(
    answer.headers.getSetCookie()[0] ?? '',
    /^gw-form=[\w-]+\.[\w-]{43}; Path=\/v3\/connect; HttpOnly; SameSite=Lax; Max-Age=60$/,
  )
  const carried = Buffer.from(browser.leftBehind?.slice(8) ?? '', 'base64url').toString()
  assert.ok(carried.includes('typed-here') && !carried.includes('hunter2'))
  hosted.stub.step = IMAP_FORM
  const page = await readPage(await browser.get(path))
  assertGoodPage(page, 'wrong password')
  for (const text of ['The password is wrong.', 'Not a port.', 'typed-here'])
    assert.ok(page.html.includes(text))
  assert.ok(!page.html.includes('hunter2') && !page.html.includes('<details'))
  const again = await readPage(await browser.get(path))
  assert.ok(!again.html.includes('The password is wrong.') && again.html.includes('<details>'))
})

test('an address that was typed goes on to the form, or back to the choice', async () => {
  const browser = hosted.browser()
  const { path, token } = await browser.open()
  const detect = async (step: HostedStep) => {
    hosted.stub.step = step
    assert.equal((await browser.post(`${path}/detect`, { csrf: token, email: 'typed' })).status, 303)
    assert.deepEqual(lastAsked(), ['typed'])
    hosted.stub.step = step.kind === 'form' ? IMAP_FORM : { ...CHOOSE, panels: ['detect'] }
    return readPage(await browser.get(path))
  }
  const fields = IMAP_FORM.fields.map((one) => (one.type === 'email' ? { ...one, value: 'ty@p.ed' } : one))
  assert.ok((await detect({ ...IMAP_FORM, fields })).html.includes('value="ty@p.ed"'))
  const failed = await detect({
    ...CHOOSE,
    panels: ['detect', 'providers'],
    loginHint: '<b>',
    error: 'Unknown.',
  })
  assert.ok(failed.html.includes('value="&lt;b&gt;"') && failed.html.includes('id="providers"'))
  assert.ok(failed.html.includes('Unknown.'))
})

test('what another session or browser left behind, or nobody did, is not shown', async () => {
  const browser = hosted.browser()
  const [first, second] = [await browser.open(), await browser.open()]
  hosted.stub.step = { ...CHOOSE, error: 'Of the first.' }
  await browser.post(`${first.path}/detect`, { csrf: first.token })
  hosted.stub.step = CHOOSE
  const mine = browser.leftBehind ?? ''
  const [text = '', signature = ''] = mine.split('.')
  const shown = async (path: string, cookie: string) => {
    browser.leftBehind = cookie
    const page = await readPage(await browser.get(path))
    assert.equal(page.status, 200)
    return page.html.includes('Of the first.')
  }
  assert.equal(await shown(second.path, mine), false)
  assert.equal(await shown(first.path, `${text}A.${signature}`), false)
  assert.equal(await shown(first.path, `gw-form=e30.${signature}`), false)
  assert.equal(await shown(first.path, mine), true)
})

test('what is too much for a cookie is shown at once', async () => {
  const browser = hosted.browser()
  const { path, token } = await browser.open()
  hosted.stub.step = { ...IMAP_FORM, error: 'x'.repeat(4000) }
  const page = await readPage(await browser.post(`${path}/form`, { csrf: token }))
  assert.equal(page.status, 422)
  assertGoodPage(page, 'too much')
})

test('a form sent twice is done once, and both get the answer', async () => {
  const browser = hosted.browser()
  const { path, token } = await browser.open()
  hosted.stub.step = HOME
  let go = () => {}
  const gate = new Promise<void>((resolve) => {
    go = resolve
  })
  const arrived = new Promise<void>((resolve) => {
    hosted.stub.before = () => {
      if (lastMethod() !== 'submit') return Promise.resolve()
      resolve()
      return gate
    }
  })
  const send = () => browser.post(`${path}/form`, { csrf: token, imap_password: 'p' })
  const controller = new AbortController()
  // The browser hangs up on the first when the button is clicked again.
  const first = fetch(`${hosted.app.url}${path}/form`, {
    method: 'POST',
    body: new URLSearchParams({ csrf: token, imap_password: 'p' }),
    headers: { accept: 'text/html', cookie: browser.cookie ?? '' },
    signal: controller.signal,
  })
  await arrived
  controller.abort()
  await assert.rejects(first)
  const second = send()
  // Other answers, so that the second has arrived while the first is being worked at.
  for (let times = 0; times < 5; times += 1) await browser.get(path)
  go()
  assert.ok((await (await second).text()).includes('code=c0de'))
  hosted.stub.step = OVER
  hosted.stub.before = () => Promise.resolve()
  // Just after it was done: the code went to an answer that the browser has dropped.
  assert.ok((await (await send()).text()).includes('code=c0de'))
  assert.deepEqual(
    asked().filter((method) => method === 'submit'),
    ['submit'],
  )
  const other = await browser.post(`${path}/form`, { csrf: token, imap_password: 'q' })
  assert.equal(other.status, 400)
})

test('a form that is refused is tried again each time', async () => {
  const browser = hosted.browser()
  const { path, token } = await browser.open()
  hosted.stub.step = { ...IMAP_FORM, error: 'No.' }
  for (let times = 0; times < 2; times += 1)
    await browser.post(`${path}/form`, { csrf: token, imap_password: 'p' })
  assert.equal(asked().filter((method) => method === 'submit').length, 2)
})

/** What a forged form looks like, and what a genuine one does. */
const FORGERIES: readonly (readonly [
  string,
  (own: { token: string; browser: Browser }) => [Record<string, string>, Record<string, string>],
])[] = [
  ['no token', () => [{}, {}]],
  ['an empty token', () => [{ csrf: '' }, {}]],
  ['a token of random bytes', () => [{ csrf: randomIds.token(32) }, {}]],
  ['a shortened token', ({ token }) => [{ csrf: token.slice(1) }, {}]],
  ['another site, as the browser says', ({ token }) => [{ csrf: token }, { 'sec-fetch-site': 'cross-site' }]],
  ['a neighbour site', ({ token }) => [{ csrf: token }, { 'sec-fetch-site': 'same-site' }]],
  ['another origin', ({ token }) => [{ csrf: token }, { origin: 'https://evil.example' }]],
  ['a hidden origin', ({ token }) => [{ csrf: token }, { origin: 'null' }]],
]
for (const [name, forge] of FORGERIES) {
  test(`a form with ${name} does nothing`, async () => {
    const browser = hosted.browser()
    const { path, token } = await browser.open()
    hosted.stub.asked.length = 0
    hosted.stub.step = HOME
    const [fields, headers] = forge({ token, browser })
    for (const action of ['provider', 'detect', 'form', 'cancel']) {
      const page = await readPage(await browser.post(`${path}/${action}`, fields, headers))
      assert.equal(page.status, 403)
      assertGoodPage(page, action)
      assert.ok(page.html.includes(`href="${path}"`))
      const json = await browser.post(`${path}/${action}`, fields, { ...headers, ...JSON_ONLY })
      assert.deepEqual(
        [json.status, ((await json.json()) as { error: { type: string } }).error.type],
        [403, 'api.invalid_request_error'],
      )
    }
    assert.deepEqual(asked(), [])
  })
}

test('a form from our own page passes, whatever of it the browser tells', async () => {
  const browser = hosted.browser()
  const { path, token } = await browser.open()
  const { origin } = new URL(hosted.app.url)
  for (const headers of [
    {},
    { 'sec-fetch-site': 'same-origin', origin },
    { origin },
    { 'sec-fetch-site': 'none' },
  ]) {
    assert.equal((await browser.post(`${path}/provider`, { csrf: token }, headers)).status, 303)
  }
})

test('a known public address is what the origin is compared with', async () => {
  const known = await startHostedApp('http://mail.example')
  try {
    const browser = known.browser()
    const { path, token } = await browser.open()
    const post = (origin: string) => browser.post(`${path}/provider`, { csrf: token }, { origin })
    assert.equal((await post('http://mail.example')).status, 303)
    assert.equal((await post('https://mail.example')).status, 403)
    assert.equal((await post(new URL(known.app.url).origin)).status, 403)
  } finally {
    await known.close()
  }
})

test('bodies that are no small form are refused', async () => {
  const browser = hosted.browser()
  const { path, token } = await browser.open()
  hosted.stub.asked.length = 0
  const send = async (body: string, type: string) => {
    const answer = await fetch(`${hosted.app.url}${path}/form`, {
      method: 'POST',
      body,
      headers: { 'content-type': type, cookie: browser.cookie ?? '', accept: 'text/html' },
    })
    const page = await readPage(answer)
    assertGoodPage(page, type)
    return page.status
  }
  const form = 'application/x-www-form-urlencoded'
  assert.equal(await send(JSON.stringify({ csrf: token }), 'application/json'), 415)
  assert.equal(await send(`csrf=${token}`, 'text/plain'), 415)
  assert.equal(await send(`csrf=${token}&a=${'x'.repeat(70_000)}`, form), 413)
  assert.equal(await send(`csrf=${token}&a=${'x'.repeat(9_000)}`, form), 400)
  assert.equal(await send(`csrf=${token}&${'a=1&'.repeat(120)}`, form), 400)
  assert.deepEqual(asked(), [])
})
