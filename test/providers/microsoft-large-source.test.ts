import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import { buffer } from 'node:stream/consumers'
import type { OutgoingMessage } from '../../src/core/ports/outgoing.ts'
import { composeToBuffer } from '../../src/formats/mime/compose-message.ts'
import { parseMessage } from '../../src/formats/mime/parse-message.ts'
import { selectParts } from '../../src/formats/mime/select-parts.ts'
import { decodeTransfer } from '../../src/formats/mime/transfer-encoding.ts'
import { lightenSource } from '../../src/providers/microsoft/light-source.ts'
import { fails } from '../support/fake-graph/fails.ts'
import { graphError } from '../support/fake-graph/graph-mail.ts'
import { outgoing } from '../support/fake-graph/outgoing.ts'
import type { FakeMessage } from '../support/fake-graph/seed.ts'
import {
  type MicrosoftSession,
  type MicrosoftWorld,
  startMicrosoftWorld,
} from '../support/fake-graph/world.ts'
import { file, noise } from '../support/hard-messages.ts'

let world: MicrosoftWorld
let session: MicrosoftSession

before(async () => {
  world = await startMicrosoftWorld()
})
beforeEach(() => {
  session = world.session()
})
afterEach(() => {
  world.graph.intercept(null)
  assert.deepEqual(
    world.graph.mailboxes
      .get('ada@contoso.example')
      ?.messages.filter(({ id, isDraft }) => isDraft && id.startsWith('AAMkDraft')),
    [],
    'no draft is left behind',
  )
})
after(async () => {
  await world.stop()
  assert.deepEqual(world.graph.violations, [])
})

const ADA = { email: 'ada@contoso.example', name: 'Ada Moreau' }
const source = (message: Partial<OutgoingMessage>) =>
  composeToBuffer({ ...outgoing(message), from: ADA }, { keepsBcc: true })
const sendRaw = (bytes: Uint8Array) =>
  world.microsoft.mail!.send!.sendRaw(session, bytes, { withHeaders: false })
const lastSent = (): FakeMessage => world.graph.sent.at(-1)!
const filesOf = ({ attachments }: FakeMessage) =>
  attachments.map(({ name, contentType, isInline, contentId, content }) => ({
    name,
    contentType,
    isInline,
    contentId,
    bytes: content?.length,
  }))
const large = noise(3_200_000) // by an upload session
const middle = large.subarray(0, 2_300_000) // by a request of its own
const pixel = noise(500, 'pixel')

test('a source over 3 MB goes with its largest file apart, everything else as it is', async () => {
  const headers = [
    { name: 'List-Unsubscribe', value: '<https://x.example/u>' },
    { name: 'X-Own', value: '1' },
  ]
  const message = {
    body: '<p>Grüße <img src="cid:one"></p>',
    bcc: [{ email: 'hidden@x.example' }],
    headers,
    attachments: [
      file('Überblick.pdf', 'application/pdf', large),
      file('one.png', 'image/png', pixel, { isInline: true, contentId: 'one' }),
      file('note.txt', 'text/plain', 'note'),
    ],
  }
  const whole = await source(message)
  const { id, attachments } = await sendRaw(whole)
  const copy = lastSent()
  assert.equal(copy.id, id)
  assert.deepEqual(filesOf(copy), [
    { name: 'one.png', contentType: 'image/png', isInline: true, contentId: 'one', bytes: 500 },
    { name: 'note.txt', contentType: 'text/plain', isInline: false, contentId: null, bytes: 4 },
    {
      name: 'Überblick.pdf',
      contentType: 'application/pdf',
      isInline: false,
      contentId: null,
      bytes: 3_200_000,
    },
  ])
  assert.ok(copy.attachments[2]?.content?.equals(large))
  assert.equal(attachments?.length, 3)
  assert.equal(copy.body?.content.trim(), message.body)
  assert.equal(copy.internetMessageId, '<made-1@grantway.example>')
  assert.deepEqual(
    copy.bccRecipients?.map(({ emailAddress }) => emailAddress.address),
    ['hidden@x.example'],
  )
  for (const { name, value } of headers) {
    assert.ok(
      copy.internetMessageHeaders?.some((one) => one.name === name && one.value === value),
      name,
    )
  }
  // What was left in is what stands before and behind the file, byte for byte.
  const rest = copy.source!
  const head = rest.indexOf('Content-Type: text/plain; name=note.txt')
  assert.ok(head > 0 && whole.subarray(-(rest.length - head)).equals(rest.subarray(head)))
})

test('a large inline image keeps its place in the HTML', async () => {
  const image = file('big.png', 'image/png', middle, { isInline: true, contentId: 'big@x' })
  await sendRaw(await source({ body: '<img src="cid:big@x">', attachments: [image] }))
  assert.deepEqual(filesOf(lastSent()), [
    { name: 'big.png', contentType: 'image/png', isInline: true, contentId: 'big@x', bytes: 2_300_000 },
  ])
  assert.equal(lastSent().body?.content.trim(), '<img src="cid:big@x">')
})

test('a source that is nothing but files goes without a text', async () => {
  const part = (name: string, bytes: Buffer) =>
    [
      '--b',
      'Content-Type: application/octet-stream',
      `Content-Disposition: attachment; filename=${name}`,
      'Content-Transfer-Encoding: base64',
      '',
      bytes.toString('base64').replace(/.{76}/g, '$&\r\n'),
    ].join('\r\n')
  await sendRaw(
    Buffer.from(
      [
        'From: ada@contoso.example\r\nTo: ben@globex.example\r\nContent-Type: multipart/mixed; boundary=b\r\n',
        part('a.bin', middle),
        part('b.bin', middle),
        '--b--\r\n',
      ].join('\r\n'),
    ),
  )
  assert.deepEqual(
    lastSent().attachments.map(({ name, content }) => [name, content?.equals(middle)]),
    [
      ['a.bin', true],
      ['b.bin', true],
    ],
  )
  assert.deepEqual(lastSent().body, { contentType: 'text', content: '' })
})

test('what cannot be taken apart is refused with the limit, and nothing is asked', async () => {
  const whole = (
    await source({ attachments: [file('a.bin', 'application/octet-stream', middle)] })
  ).toString()
  const from = world.graph.seen.length
  for (const [name, bytes] of [
    ['signed', whole.replace('multipart/mixed;', 'multipart/signed; protocol="application/pgp-signature";')],
    ['encrypted', whole.replace('application/octet-stream', 'application/pkcs7-mime')],
    ['a text', (await source({ body: 'x'.repeat(3_000_000), isPlaintext: true })).toString()],
    ['one file', `To: b@x.example\r\nContent-Type: application/pdf\r\n\r\n${'x'.repeat(3_000_001)}`],
  ] as const) {
    await assert.rejects(
      sendRaw(Buffer.from(bytes)),
      fails('too-large', (error) => assert.match(error.message, /3 MB/)),
      name,
    )
  }
  assert.equal(world.graph.seen.length, from)
})

test('a file that Graph does not take leaves no draft and nothing sent', async () => {
  const before = world.graph.sent.length
  world.graph.intercept(({ path }) =>
    path.endsWith('createUploadSession')
      ? graphError(400, 'ErrorAttachmentSizeLimitExceeded', 'no')
      : undefined,
  )
  await assert.rejects(
    sendRaw(await source({ attachments: [file('a.bin', 'application/octet-stream', large)] })),
  )
  assert.equal(world.graph.sent.length, before)
})

test('every fixture that can be taken apart has the same files before and after', async () => {
  const folder = new URL('../fixtures/eml/', import.meta.url)
  const found = async (bytes: Uint8Array) => {
    const parsed = parseMessage(bytes)
    const { html, plain, attachments } = selectParts(parsed.structure)
    const content = (part: string, encoding: string | undefined) =>
      Buffer.from(decodeTransfer(parsed.contentOf(part) ?? new Uint8Array(), encoding)).toString('latin1')
    return {
      texts: [html, plain].map((leaf) => (leaf ? content(leaf.part, leaf.node.encoding) : undefined)),
      files: attachments.map(({ part, node }) => content(part, node.encoding)),
    }
  }
  let taken = 0
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((one) =>
    one.endsWith('.eml'),
  )) {
    const whole = readFileSync(new URL(name, folder))
    const all = await found(whole)
    for (let limit = whole.length - 1, tries = 0; limit > 0 && tries < 3; tries += 1) {
      const light = lightenSource(whole, limit)
      if (!light) break
      taken += 1
      const rest = await found(light.source)
      const apart = await Promise.all(
        light.files.map(async (one) => (await buffer(one.open())).toString('latin1')),
      )
      assert.deepEqual([...rest.files, ...apart].toSorted(), all.files.toSorted(), name)
      if (all.texts.some((text) => text !== undefined)) assert.deepEqual(rest.texts, all.texts, name)
      limit = Math.min(limit, light.source.length) - 1
    }
  }
  assert.ok(taken > 10, String(taken))
})
