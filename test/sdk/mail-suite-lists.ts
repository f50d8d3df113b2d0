import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type ListMessagesQueryParams, type Message, MessageFields } from 'nylas'
import type { Suite } from './mail-suite-types.ts'
import { apiError, everyItem, idsOf } from './sdk-client.ts'

type Role = 'from' | 'to' | 'cc' | 'bcc'
interface Filter {
  readonly query: ListMessagesQueryParams
  readonly keeps: (message: Message) => boolean
}

/** messages.list: pages, every filter, fields, select. */
export function listTests({ world, mail, list }: Suite): void {
  describe('messages.list', () => {
    test('gives each message once, newest first, however it is paged', async () => {
      assert.ok(mail().length >= 20)
      const dates = mail().map(({ date }) => date)
      assert.deepEqual(
        dates,
        dates.toSorted((a, b) => b - a),
      )
      for (const limit of [7, 50])
        assert.deepEqual(idsOf(await everyItem(list({ limit }))), idsOf(mail()), `limit ${limit}`)
      const first = await list({ limit: 5 })
      const second = await list({ limit: 200, pageToken: first.nextCursor ?? '' })
      assert.deepEqual(idsOf([...first.data, ...second.data]), idsOf(mail()))
      assert.equal(second.nextCursor, undefined)
    })

    test('ends when it is asked for more than the maximum', async () => {
      const { data, nextCursor } = await list({ limit: 1000 })
      assert.deepEqual(idsOf(data), idsOf(mail()))
      assert.equal(nextCursor, undefined)
    })

    const has = (message: Message, roles: readonly Role[], email: string) =>
      roles.some((role) => (message[role] ?? []).some((one) => one.email.toLowerCase() === email))
    const someone = (role: Role): string => {
      const counts = new Map<string, number>()
      for (const message of mail())
        for (const { email } of message[role] ?? [])
          counts.set(email.toLowerCase(), (counts.get(email.toLowerCase()) ?? 0) + 1)
      const told = [...counts].filter(([, count]) => count < mail().length)
      return told.toSorted(([, a], [, b]) => b - a)[0]?.[0] ?? ''
    }
    const ofRole = (role: Role) => (): Filter => {
      const email = someone(role)
      return { query: { [role]: [email] }, keeps: (message) => has(message, [role], email) }
    }
    const everywhere: readonly Role[] = ['from', 'to', 'cc', 'bcc']
    const middle = () => mail()[Math.floor(mail().length / 2)]
    const filters: { readonly [name: string]: () => Filter } = {
      from: ofRole('from'),
      to: ofRole('to'),
      cc: ofRole('cc'),
      anyEmail() {
        const [a, b] = [someone('from'), someone('cc')]
        const keeps = (message: Message) => has(message, everywhere, a) || has(message, everywhere, b)
        return { query: { anyEmail: [a, b] }, keeps }
      },
      subject() {
        const words = mail().flatMap(({ subject }) => subject?.match(/[A-Za-z]{6,}/g) ?? [])
        const word = (words[0] ?? '').toLowerCase()
        return {
          query: { subject: word },
          keeps: ({ subject }) => subject?.toLowerCase().includes(word) ?? false,
        }
      },
      unread: () => ({ query: { unread: true }, keeps: ({ unread }) => unread === true }),
      read: () => ({ query: { unread: false }, keeps: ({ unread }) => unread === false }),
      starred: () => ({ query: { starred: true }, keeps: ({ starred }) => starred === true }),
      'not starred': () => ({ query: { starred: false }, keeps: ({ starred }) => starred === false }),
      threadId() {
        const id = middle()?.threadId ?? ''
        return { query: { threadId: id }, keeps: ({ threadId }) => threadId === id }
      },
      receivedBefore() {
        const at = middle()?.date ?? 0
        return { query: { receivedBefore: at }, keeps: ({ date }) => date < at }
      },
      receivedAfter() {
        const at = middle()?.date ?? 0
        return { query: { receivedAfter: at }, keeps: ({ date }) => date > at }
      },
      hasAttachment: () => ({
        query: { hasAttachment: true },
        keeps: ({ attachments }) => (attachments ?? []).some(({ isInline }) => isInline !== true),
      }),
      searchQueryNative: () => ({
        query: { searchQueryNative: world().native.query },
        keeps: world().native.keeps,
      }),
      'several filters at once'() {
        const at = middle()?.date ?? 0
        const keeps = (message: Message) => message.unread === true && message.date > at
        return { query: { unread: true, receivedAfter: at }, keeps }
      },
    }
    for (const [name, filter] of Object.entries(filters)) {
      test(`filters by ${name}, page by page too`, async () => {
        const { query, keeps } = filter()
        const wanted = idsOf(mail().filter(keeps)).toSorted()
        const told = `${JSON.stringify(query)} keeps ${wanted.length}`
        assert.ok(wanted.length > 0 && wanted.length < mail().length, told)
        assert.deepEqual(idsOf((await list({ ...query, limit: 200 })).data).toSorted(), wanted, told)
        assert.deepEqual(idsOf(await everyItem(list({ ...query, limit: 3 }))).toSorted(), wanted, told)
      })
    }

    test('filters by folder, and knows no folder by its attribute alone', async () => {
      const folder = middle()?.folders[0] ?? ''
      const { data } = await list({ in: [folder], limit: 200 })
      assert.deepEqual(idsOf(data), idsOf(mail().filter(({ folders }) => folders.includes(folder))))
      await assert.rejects(list({ in: ['\\Inbox'] }), (error: { type?: string }) =>
        apiError(400, error.type ?? '', /\bin\b|invalid/)(error),
      )
    })

    test('gives only what is selected, in every form of a message', async () => {
      const [newest] = mail()
      const selected = await list({ select: 'id,subject', limit: 3 })
      const brief = mail().map(({ id, subject }) => ({ id, subject }))
      assert.deepEqual(selected.data, brief.slice(0, 3))
      const withHeaders = await list({ fields: MessageFields.INCLUDE_HEADERS, limit: 3 })
      assert.ok(withHeaders.data.some(({ headers }) => (headers ?? []).length > 0))
      const raw = await list({ fields: MessageFields.RAW_MIME, limit: 1 })
      assert.deepEqual(Object.keys(raw.data[0] ?? {}).toSorted(), ['grantId', 'id', 'object', 'rawMime'])
      assert.equal(raw.data[0]?.id, newest?.id)
    })

    test('refuses a page token that it did not give, and an address that is none', async () => {
      const invalid = (what: RegExp) => apiError(400, 'api.invalid_request_error', what)
      await assert.rejects(list({ pageToken: 'made-up' }), invalid(/page_token/))
      await assert.rejects(list({ from: ['nobody'] }), invalid(/from/))
      await assert.rejects(list({ limit: -1 }), invalid(/limit/))
    })
  })
}
