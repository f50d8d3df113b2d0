import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Mail } from '../../src/core/ports/mail.ts'
import type { GrantRecord } from '../../src/core/ports/records.ts'
import { ProviderError } from '../../src/kit/provider-error.ts'
import { aMessage, type MailWorld, startMailWorld } from '../support/mail-world.ts'

let world: MailWorld
let grant: GrantRecord
let path: string
let asked: unknown[][] = []

const BODY =
  '<p>Hi <a href="https://x.example/">you</a> <img src="https://x.example/i.png" alt="pic"></p><script>x</script><table><tr><th>a</th></tr></table><p>Best,<br>Ada</p><blockquote type="cite">old</blockquote>'

/** Takes some tenths of a second each. */
const HARD = '<table><tr><td>x</td></tr>'.repeat(20_000)

const google: Mail = {
  messages: {
    list: () => Promise.reject(new Error('not asked')),
    find: async (session, id, options) => {
      asked.push([id, options])
      session.spend({ requests: 1, gmailUnits: 20 })
      if (id === 'gone') throw new ProviderError('not-found', 'no such message')
      if (id.startsWith('hard')) return aMessage(session.grantId, id, { body: HARD })
      if (id === 'slow') throw new ProviderError('rate-limited', 'too many', { retryAfterSeconds: 3 })
      return aMessage(session.grantId, id, { body: BODY })
    },
  },
  folders: { list: async () => ({ items: [] }), find: () => Promise.reject(new Error('not asked')) },
}

before(async () => {
  world = await startMailWorld({ google })
  grant = await world.addGrant()
  path = `/v3/grants/${grant.id}/messages/clean`
})
after(() => world.stop())

const clean = (body: unknown, query = '') => world.app.call('PUT', path + query, body)

test('refuses without a key', async () => {
  assert.equal((await world.app.call('PUT', path, {}, { authorization: '' })).status, 401)
})

test('answers whole messages with their newest part, in the order of the ids', async () => {
  asked = []
  const answer = await clean({ message_id: ['b', 'a', 'b'] }, '?shared_from=x@y.example')
  assert.equal(answer.status, 200, answer.text)
  const cleaned = (id: string) => ({ ...aMessage(grant.id, id, { body: BODY }), conversation: 'Hi you\n\na' })
  assert.deepEqual(answer.body, {
    request_id: answer.body.request_id,
    data: [cleaned('b'), cleaned('a'), cleaned('b')],
  })
  const options = { fields: 'standard', sharedFrom: 'x@y.example' }
  assert.deepEqual(asked, [
    ['b', options],
    ['a', options],
  ])
  assert.equal(answer.headers.get('nylas-provider-request-count'), '2')
  assert.equal(answer.headers.get('nylas-gmail-quota-usage'), '40')
  const narrow = await clean({ message_id: ['a'] }, '?select=id,conversation')
  assert.deepEqual(narrow.body.data, [{ id: 'a', conversation: 'Hi you\n\na' }])
})

test('goes by the options', async () => {
  for (const [options, conversation] of [
    [{ ignore_links: false }, 'Hi you [https://x.example/]\n\na'],
    [{ ignore_images: false }, 'Hi you ![pic](https://x.example/i.png)\n\na'],
    [{ ignore_images: false, images_as_markdown: false }, 'Hi you pic [https://x.example/i.png]\n\na'],
    [{ remove_conclusion_phrases: false }, 'Hi you\n\na\n\nBest,\nAda'],
    [{ html_as_markdown: true, ignore_links: false }, 'Hi [you](https://x.example/)\n\na'],
    [{ html_as_markdown: true, ignore_tables: false }, 'Hi you\n\n| a |\n| --- |'],
  ] as const) {
    const answer = await clean({ message_id: ['a'], ...options }, '?select=conversation')
    assert.deepEqual(answer.body.data, [{ conversation }], JSON.stringify(options))
  }
})

test('answers others while it reads hard messages', async () => {
  const order: string[] = []
  const ids = Array.from({ length: 5 }, (_, at) => `hard${at}`)
  const hard = clean({ message_id: ids, ignore_tables: false }, '?select=id').then((answer) => {
    order.push('hard')
    return answer
  })
  for (const name of ['first', 'second', 'third']) {
    const answer = await clean({ message_id: [name] }, '?select=conversation')
    assert.deepEqual(answer.body.data, [{ conversation: 'Hi you\n\na' }])
    order.push(name)
  }
  assert.equal((await hard).status, 200)
  assert.deepEqual(order, ['first', 'second', 'third', 'hard'])
})

test('refuses what it can’t do, and names it', async () => {
  for (const [body, status, message] of [
    [{}, 400, /message_id/],
    [{ message_id: [] }, 400, /message_id/],
    [{ message_id: 'a' }, 400, /message_id/],
    [{ message_id: Array.from({ length: 21 }, (_, at) => `m${at}`) }, 400, /message_id/],
    [{ message_id: ['a'], ignore_links: 'no' }, 400, /ignore_links/],
    [{ message_id: ['a'], html_as_markdown: true, images_as_markdown: false }, 400, /images_as_markdown/],
    [{ message_id: ['a', 'gone'] }, 404, /there is no message gone/],
    [{ message_id: ['slow'] }, 429, /./],
  ] as const) {
    const answer = await clean(body)
    assert.equal(answer.status, status, answer.text)
    assert.match(answer.body.error.message, message)
  }
  const imap = await world.addGrant({ provider: 'zoom' })
  const none = await world.app.call('PUT', `/v3/grants/${imap.id}/messages/clean`, { message_id: ['a'] })
  assert.equal(none.status, 400)
})
