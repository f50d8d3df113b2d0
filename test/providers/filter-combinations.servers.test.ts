import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startDovecot } from '../support/dovecot.ts'
import { filterCombinations } from '../support/filter-combinations.ts'
import { addressOf, imapProvider, settingsOf, signedIn, walk } from './imap-world.ts'

test('IMAP: every filter alone and every two together give what the whole list says', async () => {
  const world = await startDovecot()
  const provider = imapProvider(world)
  try {
    await world.fill(addressOf('erin'), 300)
    const mail = provider.mail!
    const session = await signedIn(provider, settingsOf(world, 'erin'))
    const combinations = filterCombinations(await walk(mail, session, {}), ({ attachments }) =>
      (attachments ?? []).some(({ is_inline: isInline, content_id: id }) => !isInline || id === undefined),
    )
    assert.ok(combinations.length > 100, String(combinations.length))
    for (const { query, expected } of combinations) {
      const found = await walk(mail, session, { ...query, select: ['id'], limit: 50 })
      // Copies of one mail whose dates differ are one where they meet on a page.
      const ids = new Set(found.map(({ id }) => id))
      assert.deepEqual([...ids], [...new Set(expected)], JSON.stringify(query))
    }
  } finally {
    await provider.close()
    await world.stop()
  }
})
