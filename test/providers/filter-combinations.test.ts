import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FullMessage } from '../../src/contract/message.ts'
import type { MessageQuery } from '../../src/core/ports/mail.ts'
import { startMicrosoftWorld } from '../support/fake-graph/world.ts'
import { filterCombinations } from '../support/filter-combinations.ts'
import { startGoogleWorld } from '../support/sandbox.ts'
import { walk } from './imap-world.ts'

const idsOf = (messages: readonly { readonly id: string }[]) => messages.map(({ id }) => id)
const hasFile = ({ attachments }: FullMessage) =>
  (attachments ?? []).some(({ is_inline: isInline, filename }) => !isInline && filename !== '')
/** Only ids: it is faster, and what filters read must come all the same. */
const ids: Partial<MessageQuery> = { select: ['id'], limit: 200 }

test('Gmail: every filter alone and every two together give what the whole list says', async () => {
  const world = await startGoogleWorld()
  try {
    const mail = world.google.mail!
    const session = world.session('sandbox-refresh-token-ada')
    const combinations = filterCombinations(await walk(mail, session, {}), hasFile)
    assert.ok(combinations.length > 100, String(combinations.length))
    for (const { query, expected } of combinations) {
      assert.deepEqual(
        idsOf(await walk(mail, session, { ...query, ...ids })),
        expected,
        JSON.stringify(query),
      )
    }
    assert.deepEqual(world.validator.violations, [])
  } finally {
    await world.stop()
  }
})

test('Graph: every filter alone and every two together give what the whole list says', async () => {
  const world = await startMicrosoftWorld()
  try {
    const mail = world.microsoft.mail!
    const session = world.session()
    // Graph's search finds drafts without a sender by none, and nothing is told of the bare message.
    const { messages } = world.graph.mailboxes.get('ada@contoso.example')!
    for (const one of messages) if (one.isDraft) Object.assign(one, { from: one.sender })
    messages.splice(0, messages.length, ...messages.filter(({ isRead }) => isRead !== undefined))
    const combinations = filterCombinations(await walk(mail, session, {}), hasFile)
    assert.ok(combinations.length > 100, String(combinations.length))
    for (const { query, expected } of combinations) {
      assert.deepEqual(
        idsOf(await walk(mail, session, { ...query, ...ids })),
        expected,
        JSON.stringify(query),
      )
    }
    assert.deepEqual(world.graph.violations, [])
  } finally {
    await world.stop()
  }
})
