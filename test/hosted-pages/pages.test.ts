// The pages as a browser gets them: headers, words, escaping, branding, what a screen reader needs.
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import fc from 'fast-check'
import type { Branding, HostedStep } from '../../src/core/ports/oauth-services.ts'
import { contrastOf } from '../../src/http/hosted/colours.ts'
import { type HostedApp, startHostedApp } from './hosted-client.ts'
import { assertGoodPage, decode, readPage } from './page-reader.ts'
import { CHOOSE, IMAP_FORM, OVER, PLAIN } from './stub-hosted.ts'

let hosted: HostedApp
before(async () => {
  hosted = await startHostedApp()
})
beforeEach(() => {
  hosted.stub.step = CHOOSE
  hosted.stub.branding = PLAIN
})
after(() => hosted.close())

async function show(step: HostedStep, branding: Branding | null = PLAIN) {
  hosted.stub.step = CHOOSE
  const browser = hosted.browser()
  const { path } = await browser.open()
  hosted.stub.step = step
  hosted.stub.branding = branding
  return readPage(await browser.get(path))
}

test('the chooser has a button per provider with its name, and a box for the address', async () => {
  const page = await show(CHOOSE)
  assert.equal(page.status, 200)
  assertGoodPage(page, 'chooser')
  assert.equal(page.title, 'Connect your email account – Acme Mail')
  const [providers, detect, cancel] = page.forms
  assert.match(providers?.action ?? '', /\/provider$/)
  assert.deepEqual(
    providers?.buttons.map(({ value, text }) => [value, text]),
    [
      ['google', 'Continue with Google'],
      ['microsoft', 'Continue with Microsoft'],
      ['yahoo', 'Continue with Yahoo'],
      ['icloud', 'Continue with iCloud'],
      ['imap', 'Continue with another provider (IMAP)'],
    ],
  )
  assert.match(detect?.action ?? '', /\/detect$/)
  assert.match(cancel?.action ?? '', /\/cancel$/)
  assert.deepEqual(
    cancel?.buttons.map(({ text }) => text),
    ['Cancel and return to Acme Mail'],
  )
  const email = page.inputs.find(({ attributes }) => attributes.get('name') === 'email')
  assert.equal(email?.label, 'Email address')
  assert.equal(email?.attributes.get('type'), 'email')
  assert.equal(email?.attributes.get('value'), 'ada@example.com')
  assert.equal(email?.attributes.get('autocomplete'), 'email')
})

test('panels come in the order that was asked for, and only those', async () => {
  const both = await show({ ...CHOOSE, panels: ['detect', 'providers'] })
  assert.ok(both.html.indexOf('/detect"') < both.html.indexOf('id="providers"'))
  assert.match(both.html, /name="email"[\s\S]*?autofocus/)
  const one = await show({ ...CHOOSE, panels: ['detect'] })
  assertGoodPage(one, 'detect only')
  assert.ok(!one.html.includes('id="providers"'))
  const other = await show({ ...CHOOSE, panels: ['providers'] })
  assert.ok(!other.html.includes('name="email"'))
})

test('what is wrong is announced, in the title too, and tied to its field', async () => {
  const page = await show({ ...CHOOSE, loginHint: 'x', error: 'This is not an email address.' })
  assert.equal(page.status, 200)
  assertGoodPage(page, 'chooser with error')
  assert.match(page.title, /^Error: /)
  assert.match(page.html, /role="alert" id="error"><p>This is not an email address\.<\/p>/)
  const email = page.inputs.find(({ attributes }) => attributes.get('name') === 'email')
  assert.equal(email?.attributes.get('aria-invalid'), 'true')
  assert.equal(email?.attributes.get('aria-describedby'), 'error email-hint')
  assert.ok(email?.attributes.has('autofocus'))
})

test('the form hides what is seldom needed until it is needed', async () => {
  const closed = await show(IMAP_FORM)
  assertGoodPage(closed, 'form')
  assert.match(closed.html, /<details>/)
  const details = closed.html.slice(closed.html.indexOf('<details>'), closed.html.indexOf('</details>'))
  assert.ok(details.includes('name="imap_host"') && !details.includes('name="imap_password"'))
  const password = closed.inputs.find(({ attributes }) => attributes.get('name') === 'imap_password')
  assert.deepEqual(
    ['type', 'autocomplete', 'aria-describedby'].map((name) => password?.attributes.get(name)),
    ['password', 'current-password', 'field-imap_password-hint'],
  )
  // The address is filled in already: the password is what comes next.
  assert.ok(password?.attributes.has('autofocus'))
  const typed = IMAP_FORM.fields.map((one) =>
    one.name === 'imap_port' ? { ...one, value: '99999', error: 'IMAP port is not valid.' } : one,
  )
  const open = await show({ ...IMAP_FORM, fields: typed, error: 'Please check.' })
  assert.equal(open.status, 200)
  assertGoodPage(open, 'form with error')
  assert.match(open.html, /<details open>/)
  const port = open.inputs.find(({ attributes }) => attributes.get('name') === 'imap_port')
  assert.equal(port?.attributes.get('aria-invalid'), 'true')
  assert.match(open.html, /id="field-imap_port-error">Error: IMAP port is not valid\.</)
  assert.ok(port?.attributes.has('autofocus'))
})

test('a password is never written into a page', async () => {
  const fields = IMAP_FORM.fields.map((one) => ({
    ...one,
    value: one.type === 'password' ? 'hunter2' : one.value,
  }))
  const page = await show({ ...IMAP_FORM, fields, error: 'Wrong password.' })
  assert.ok(!page.html.includes('hunter2'))
})

test('the way back is there only where there is something to go back to', async () => {
  const buttons = (page: Awaited<ReturnType<typeof show>>) =>
    page.forms.flatMap((form) => form.buttons.map(({ text }) => text))
  assert.ok(buttons(await show(IMAP_FORM)).includes('Choose another provider'))
  assert.ok(!buttons(await show({ ...IMAP_FORM, canGoBack: false })).includes('Choose another provider'))
})

test('iCloud’s form leads to Apple’s page about its passwords', async () => {
  const page = await show({ ...IMAP_FORM, provider: { provider: 'icloud', displayName: 'iCloud' } })
  assert.match(
    page.html,
    /<a href="https:\/\/support\.apple\.com\/102654" target="_blank" rel="noopener noreferrer">/,
  )
  assert.match(page.html, /<h1>Connect iCloud<\/h1>/)
})

test('a stop says what happened and what can be done, with a reference', async () => {
  const cases: readonly HostedStep[] = [
    OVER,
    { kind: 'stop', status: 400, type: 'grant.callback_uri_not_allowed', message: 'Not registered.' },
    { kind: 'stop', status: 429, type: 'api.rate_limit_error', message: 'Too many attempts.' },
    { kind: 'stop', status: 504, type: '__proto__', message: 'Odd.' },
  ]
  for (const step of cases) {
    if (step.kind !== 'stop') continue
    const page = await show(step)
    assert.equal(page.status, step.status)
    assertGoodPage(page, step.type)
    assert.ok(decode(page.html).includes(step.message))
    assert.match(page.html, /<p class="advice">[A-Z][^<]{20,}<\/p>/)
    assert.ok(page.html.includes(`<span class="reference">${page.headers.get('x-request-id')}</span>`))
    assert.equal(page.forms.length, 0)
  }
})

test('branding is shown: texts, colours, images, links, alignment', async () => {
  const page = await show(CHOOSE, {
    name: 'Acme',
    title: 'Plug in your inbox',
    subtitle: 'Two clicks.',
    iconUrl: 'https://cdn.acme.test/i.png?v=2',
    alignment: 'right',
    colorPrimary: '#ffee00',
    colorSecondary: '#abc',
    backgroundColor: '#112233',
    backgroundImageUrl: 'https://img.acme.test/back.jpg',
    spacing: 12,
    termsOfServiceUrl: 'https://acme.test/tos',
    privacyPolicyUrl: 'https://acme.test/privacy',
  })
  assertGoodPage(page, 'branded', { images: 'https://cdn.acme.test https://img.acme.test' })
  assert.match(page.html, /<h1>Plug in your inbox<\/h1>\n<p class="subtitle">Two clicks\.<\/p>/)
  assert.match(page.html, /<img class="icon" src="https:\/\/cdn\.acme\.test\/i\.png\?v=2" alt="Acme logo">/)
  for (const property of [
    'primary:#ffee00',
    'on-primary:#000000',
    'background:#112233',
    'align:right',
    'spacing:12px',
  ]) {
    assert.ok(page.html.includes(`--${property}`), property)
  }
  assert.ok(page.html.includes('body{background-image:url("https://img.acme.test/back.jpg")}'))
  assert.match(page.html, /<a href="https:\/\/acme\.test\/tos"[^>]*>Terms of service<\/a>/)
  assert.match(page.html, /<a href="https:\/\/acme\.test\/privacy"[^>]*>Privacy policy<\/a>/)
})

const MARKS = [
  '<script>',
  '"',
  "'",
  '</style>',
  '--></title>',
  '{{x}}',
  '\\',
  ');}*{',
  '\n',
  'javascript:alert(1)',
  '#fff;',
]
const hostile = fc
  .array(fc.oneof(fc.constantFrom(...MARKS), fc.string({ maxLength: 6 })), { maxLength: 6 })
  .map((parts) => parts.join(''))
const hostileUrl = fc.oneof(
  hostile,
  hostile.map((text) => `https://a.example/${text}`),
  hostile.map((text) => `https://${text}`),
)

test('an address of an image can’t leave its place in the style sheet', async () => {
  const backgroundImageUrl = "https://img.acme.test/a'(b)?c\\"
  const page = await show(CHOOSE, { ...PLAIN, backgroundImageUrl })
  assert.ok(page.html.includes('url("https://img.acme.test/a%27%28b%29?c%5c")'))
})

test('hostile branding, hints and errors stay text', async () => {
  const browser = hosted.browser()
  const { path } = await browser.open()
  const known =
    /<(\/?)(?:!doctype html|html|head|meta|title|style|body|div|header|img|p|main|h1|h2|form|input|button|section|ul|li|label|a|footer|nav|details|summary|span)(?=[\s>])/gi
  await fc.assert(
    fc.asyncProperty(hostile, hostileUrl, hostile, fc.boolean(), async (text, url, colour, isForm) => {
      hosted.stub.branding = {
        ...PLAIN,
        name: text,
        title: text,
        subtitle: text,
        iconUrl: url,
        backgroundImageUrl: url,
        termsOfServiceUrl: url,
        colorPrimary: colour,
        colorSecondary: colour,
        backgroundColor: colour,
        spacing: Number.NaN,
      }
      hosted.stub.step = isForm
        ? {
            ...IMAP_FORM,
            error: text,
            provider: { provider: 'imap', displayName: text },
            fields: IMAP_FORM.fields.map((one) => ({
              ...one,
              value: text,
              hint: text,
              error: text,
              label: text,
            })),
          }
        : { ...CHOOSE, loginHint: text, error: text }
      const page = await readPage(await browser.get(path))
      assert.equal(page.status, 200)
      const style = page.html.slice(page.html.indexOf('<style'), page.html.indexOf('</style>'))
      assert.equal([...page.html.matchAll(/<\/style>/g)].length, 1)
      assert.doesNotMatch(style.slice(1), /</)
      const tags = [...page.html.matchAll(/</g)].length
      assert.equal(tags, [...page.html.matchAll(known)].length)
      assert.doesNotMatch(page.html, /(?:href|src)="(?!https:\/\/)/)
      const policy = page.headers.get('content-security-policy') ?? ''
      assert.match(
        policy,
        /^default-src 'none'; style-src 'nonce-[\w-]+'; img-src ('none'|https:\/\/[^\s;,']+); form-action 'self'; base-uri 'none'; frame-ancestors 'none'$/,
      )
    }),
    { numRuns: 150 },
  )
})

test('a page without branding is whole, and buttons can be read', async () => {
  const page = await show(CHOOSE, null)
  assertGoodPage(page, 'unbranded')
  const value = (name: string) => new RegExp(`--${name}:(#[0-9a-f]{6})`).exec(page.html)?.[1] ?? ''
  assert.ok(contrastOf(value('primary'), value('on-primary')) >= 4.5)
  assert.ok(page.html.includes('Cancel and return to the app'))
})

test('behind https, pages say so to browsers', async () => {
  const secure = await startHostedApp('https://mail.example')
  try {
    const browser = secure.browser()
    const { page } = await browser.open()
    assertGoodPage(page, 'https', { isHttps: true })
  } finally {
    await secure.close()
  }
})
