import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createMailAccess } from '../../src/core/mail/mail-access.ts'
import { createContentKeeper } from '../../src/core/mail/uploads/content-keeper.ts'
import { createUploads } from '../../src/core/mail/uploads/uploads.ts'
import type { UploadedFiles } from '../../src/core/ports/mail-services.ts'
import type { MailFacts } from '../../src/core/ports/mail.ts'
import type { GrantRecord } from '../../src/core/ports/records.ts'
import { silentLogger } from '../../src/kit/logger.ts'
import { grantRecord, type HttpApp, startHttpApp } from '../support/http-app.ts'

let app: HttpApp
let files: UploadedFiles
let grant: GrantRecord
let other: GrantRecord
let base: string
const facts: MailFacts = { maxMessageBytes: 1e9, schedulesDrafts: true, takesLargeUploads: true }

before(async () => {
  app = await startHttpApp({
    services: (deps) => {
      const google = deps.providers.get('google')
      if (!google) throw new Error('no provider for tests')
      const unused = () => Promise.reject(new Error('not used here'))
      const mail = {
        facts,
        messages: { list: unused, find: unused },
        folders: { list: unused, find: unused },
      }
      const providers = new Map([...deps.providers, ['google' as const, { ...google, mail }]])
      const uploads = createUploads({
        ...deps,
        access: createMailAccess({ ...deps, providers }),
        contents: createContentKeeper({ ...deps, log: silentLogger }),
        publicUrl: () => app.url,
      })
      files = uploads
      return { uploads }
    },
  })
  grant = grantRecord({ applicationId: app.applicationId })
  other = grantRecord({ applicationId: app.applicationId, provider: 'microsoft' })
  for (const each of [grant, other]) await app.database.stores.grants.insert(each)
  base = `/v3/grants/${grant.id}/attachment-uploads`
})
after(() => app.close())

interface Started {
  readonly attachment_id: string
  readonly url: string
}

async function start(fields: object = {}): Promise<Started> {
  const body = { filename: 'é.pdf', content_type: 'application/pdf', ...fields }
  const answer = await app.call('POST', base, body)
  assert.equal(answer.status, 201, answer.text)
  return answer.body.data
}
const put = async (
  url: string,
  body: string | Uint8Array<ArrayBuffer> | ReadableStream,
  headers: Record<string, string> = {},
) => {
  const request = { method: 'PUT', body, headers, duplex: 'half' as const }
  const response = await fetch(url, request)
  return { status: response.status, body: (await response.json()) as { error?: { type: string } } }
}
const complete = ({ attachment_id: id }: Started) => app.call('POST', `${base}/${id}/complete`)

async function bytesOf(id: string): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of (await files.take(grant, id, 'attachments.0.id')).open())
    chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

test('takes bytes at an address of its own, and gives them to messages', async () => {
  const bytes = Buffer.alloc(1_200_000, 'abcdefg')
  const answer = await app.call('POST', base, { filename: 'a.bin', content_type: 'x/y', size: bytes.length })
  const { attachment_id, url, expires_at, ...rest } = answer.body.data
  assert.deepEqual(rest, {
    grant_id: grant.id,
    method: 'PUT',
    headers: { 'Content-Type': 'x/y' },
    max_size: 157_286_400,
    size: bytes.length,
    content_type: 'x/y',
    filename: 'a.bin',
  })
  assert.equal(Date.parse(expires_at), app.clock.nowMs() + 3_600_000)
  const stream = new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += 70_000) controller.enqueue(bytes.subarray(at, at + 70_000))
      controller.close()
    },
  })
  const taken = await put(url, stream, { 'content-type': 'x/y' })
  assert.equal(taken.status, 200, JSON.stringify(taken.body))
  await assert.rejects(files.take(grant, attachment_id, 'attachments.0.id'), /no completed upload/)
  const ready = await complete({ attachment_id, url })
  assert.deepEqual(
    [ready.status, ready.body.data],
    [200, { attachment_id, grant_id: grant.id, status: 'ready' }],
  )
  const file = await files.take(grant, attachment_id, 'attachments.0.id')
  assert.deepEqual(
    [file.filename, file.contentType, file.isInline, file.sizeBytes],
    ['a.bin', 'x/y', false, bytes.length],
  )
  assert.ok((await bytesOf(attachment_id)).equals(bytes))
  assert.ok((await bytesOf(attachment_id)).equals(bytes), 'more than once')
  await assert.rejects(files.take(other, attachment_id, 'attachments.0.id'), {
    status: 400,
    message: new RegExp(attachment_id),
  })
})

test('takes other bytes until it is completed, then neither bytes nor a second completion', async () => {
  const upload = await start()
  assert.equal((await complete(upload)).status, 422)
  assert.equal((await put(upload.url, '')).status, 422)
  assert.equal((await put(upload.url, 'first')).status, 200)
  assert.equal((await put(upload.url, new Uint8Array([1, 2]))).status, 200)
  assert.equal((await complete(upload)).status, 200)
  assert.deepEqual([...(await bytesOf(upload.attachment_id))], [1, 2])
  assert.equal((await put(upload.url, 'late')).status, 409)
  assert.equal((await complete(upload)).status, 409)
})

test('refuses another size than was announced, and the right one goes in afterwards', async () => {
  const upload = await start({ size: 4 })
  assert.equal((await put(upload.url, 'abc')).status, 422)
  assert.equal((await put(upload.url, 'abcde')).status, 422)
  assert.equal((await complete(upload)).status, 422)
  assert.equal((await put(upload.url, 'abcd')).status, 200)
  assert.equal((await complete(upload)).status, 200)
})

test('a wrong token, another grant and an unknown id find nothing', async () => {
  const upload = await start()
  const broken = `${upload.url.slice(0, -1)}${upload.url.endsWith('A') ? 'B' : 'A'}`
  assert.equal((await put(broken, 'x')).status, 404)
  assert.equal((await put(upload.url, 'x')).status, 200)
  const foreign = `/v3/grants/${other.id}/attachment-uploads/${upload.attachment_id}/complete`
  assert.equal((await app.call('POST', foreign)).status, 404)
  assert.equal((await app.call('POST', `${base}/nothing/complete`)).status, 404)
})

test('refuses bad fields, and providers that take no large uploads', async () => {
  for (const body of [
    {},
    { filename: 'a', content_type: 'x/y', size: 157_286_401 },
    { filename: 'a\r\nb', content_type: 'x/y' },
    { filename: '', content_type: 'x/y' },
  ]) {
    assert.equal((await app.call('POST', base, body)).status, 400, JSON.stringify(body))
  }
  const refused = await app.call('POST', `/v3/grants/${other.id}/attachment-uploads`, {
    filename: 'a',
    content_type: 'x/y',
  })
  assert.equal(refused.status, 401)
})

test('is over after an hour, and its bytes are deleted', async () => {
  const [upload, ready] = [await start(), await start()]
  for (const { url } of [upload, ready]) assert.equal((await put(url, 'x')).status, 200)
  await complete(ready)
  app.clock.advance(3_600_001)
  assert.equal((await put(upload.url, 'y')).status, 410)
  assert.equal((await complete(upload)).status, 410)
  await assert.rejects(files.take(grant, ready.attachment_id, 'attachments.0.id'), /no completed upload/)
  const { contents, uploads } = app.database.stores
  assert.ok((await contents.deleteExpired(100)) >= 2)
  assert.equal(await contents.deleteExpired(100), 0)
  app.clock.advance(3_600_000)
  assert.ok((await uploads.deleteExpired(3_600_000, 100)) >= 2)
  assert.equal((await complete(ready)).status, 404)
})

test('an upload that breaks off leaves nothing', async () => {
  const upload = await start()
  const broken = new ReadableStream({
    start(controller) {
      controller.enqueue(Buffer.alloc(600_000))
      setImmediate(() => controller.error(new Error('cut')))
    },
  })
  await assert.rejects(put(upload.url, broken))
  assert.equal((await put(upload.url, 'whole')).status, 200)
  assert.equal((await complete(upload)).status, 200)
  assert.equal((await bytesOf(upload.attachment_id)).toString(), 'whole')
})
