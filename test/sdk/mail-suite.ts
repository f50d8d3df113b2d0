import assert from 'node:assert/strict'
import { after, before, describe } from 'node:test'
import type { Message, SendMessageRequest } from 'nylas'
import { attachmentTests } from './mail-suite-attachments.ts'
import { draftTests } from './mail-suite-drafts.ts'
import { folderTests } from './mail-suite-folders.ts'
import { listTests } from './mail-suite-lists.ts'
import { messageTests } from './mail-suite-messages.ts'
import { sendTests } from './mail-suite-sending.ts'
import { threadTests } from './mail-suite-threads.ts'
import { BEN, type Suite, type SuiteFacts, type SuiteWorld } from './mail-suite-types.ts'

/** Runs every method of the mail resources of the official Node SDK against a server, over its HTTP. */
export function mailSuite(facts: SuiteFacts): void {
  let world: SuiteWorld | undefined
  let mail: readonly Message[] = []
  const current = (): SuiteWorld => {
    assert.ok(world)
    return world
  }
  const suite: Suite = {
    ...facts,
    world: current,
    mail: () => mail,
    list: (queryParams = {}) =>
      current().nylas.messages.list({
        identifier: current().grant.id,
        queryParams: { ...current().scope, ...queryParams },
      }),
    async find(messageId) {
      const { nylas, grant } = current()
      return (await nylas.messages.find({ identifier: grant.id, messageId })).data
    },
    async send(requestBody) {
      const { nylas, grant } = current()
      const body: SendMessageRequest = { to: [BEN], subject: 'Suite', body: '<p>Suite</p>', ...requestBody }
      return (await nylas.messages.send({ identifier: grant.id, requestBody: body })).data
    },
  }
  describe(`the Node SDK and the mail of ${facts.name}`, () => {
    before(async () => {
      world = await facts.start()
      mail = (await suite.list({ limit: 200 })).data
    })
    after(() => world?.stop())
    listTests(suite)
    messageTests(suite)
    sendTests(suite)
    draftTests(suite)
    threadTests(suite)
    folderTests(suite)
    attachmentTests(suite)
  })
}
