// What the sandbox can be told over HTTP, as users' own test runs do.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { isJsonObject, type JsonObject } from '../../src/kit/json.ts'
import { type Sandbox, startSandbox } from '../../src/sandbox/start-sandbox.ts'

const BEN = 'ben@sandbox.example'
let sandbox: Sandbox
let token: string

before(async () => {
  sandbox = await startSandbox({ host: '127.0.0.1' })
  const answer = await fetch(`${sandbox.url}/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'refresh_token',
      client_id: 'sandbox-client-id',
      client_secret: 'sandbox-client-secret',
      refresh_token: 'sandbox-refresh-token-ben',
    }),
  })
  token = String((await objectOf(answer))['access_token'])
})
after(() => sandbox.stop())

async function objectOf(answer: Response): Promise<JsonObject> {
  const body: unknown = await answer.json()
  assert.ok(isJsonObject(body))
  return body
}
async function control(action: string, body: object, status = 200): Promise<JsonObject> {
  const answer = await fetch(`${sandbox.url}/sandbox/${action}`, {
    method: 'POST',
    body: JSON.stringify(body),
  })
  assert.equal(answer.status, status)
  return objectOf(answer)
}
async function gmail(path: string, status = 200, init: RequestInit = {}): Promise<JsonObject> {
  const answer = await fetch(`${sandbox.url}/gmail/v1/users/me/${path}`, {
    ...init,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
  })
  assert.equal(answer.status, status, path)
  return objectOf(answer)
}
const post = (body: object): RequestInit => ({ method: 'POST', body: JSON.stringify(body) })

test('new mail comes in, in the thread of what it answers', async () => {
  const source = `From: a@b.example\r\nTo: ${BEN}\r\nSubject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\nMessage-ID: <1@b.example>\r\n\r\nx`
  const { id } = await control('deliver', { email: BEN, source })
  const reply = source
    .replace('Subject: ', 'Subject: Re: ')
    .replace('Message-ID: <1@', 'In-Reply-To: <1@b.example>\r\nMessage-ID: <2@')
  const second = await control('deliver', { email: BEN, source: reply })
  const message = await gmail(`messages/${String(second['id'])}`)
  assert.equal(message['threadId'], id)
  assert.deepEqual(message['labelIds'], ['UNREAD', 'CATEGORY_PERSONAL', 'INBOX'])
  assert.match(JSON.stringify(message['payload']), /Re: Grüße/)
  await control('deliver', { email: 'nobody@sandbox.example', source }, 400)
  await control('deliver', { email: BEN }, 400)
})

test('page tokens stay good while mail comes in, and expire when told so', async () => {
  const first = await gmail('messages?maxResults=3')
  await control('deliver', { email: BEN, source: 'Subject: between\r\n\r\nx' })
  const next = `messages?maxResults=3&pageToken=${String(first['nextPageToken'])}`
  const seen = JSON.stringify(first['messages'])
  const page = await gmail(next)
  assert.ok(Array.isArray(page['messages']) && page['messages'].length === 3)
  for (const one of page['messages']) assert.ok(!seen.includes(JSON.stringify(one)))
  await control('expire-pages', {})
  await gmail(next, 400)
})

test('another sender address, confirmed or not', async () => {
  await control('send-as', { email: BEN, alias: 'b@alias.example', display_name: 'B', verified: false })
  const { sendAs } = await gmail('settings/sendAs')
  assert.ok(Array.isArray(sendAs))
  assert.deepEqual(sendAs.at(-1), {
    sendAsEmail: 'b@alias.example',
    displayName: 'B',
    verificationStatus: 'pending',
  })
})

test('the quota of a user is used up, a send fails alone', async () => {
  const raw = Buffer.from(`To: ${BEN}\r\nSubject: x\r\n\r\ntext`).toString('base64url')
  await control('fail', { target: 'send', mode: 'send-limit', retry_after: 60 })
  await gmail('labels')
  const refused = await gmail('messages/send', 429, post({ raw }))
  assert.match(JSON.stringify(refused), /Retry after 20/)
  const sent = await gmail('messages/send', 200, post({ raw }))
  assert.deepEqual(sent['labelIds'], ['SENT', 'INBOX', 'UNREAD'])
  await control('settings', { units_per_minute: 1 })
  assert.match(JSON.stringify(await gmail('labels', 403)), /userRateLimitExceeded/)
  await control('settings', { units_per_minute: 0 })
  await gmail('labels')
})
