// A bulk import over HTTP that takes too long.
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { test } from 'node:test'
import type { RawRow } from '../../src/core/ports/import.ts'
import { sleep } from '../../src/kit/deadline.ts'
import { startHttpApp } from '../support/http-app.ts'
import { ndjson } from '../support/import-world.ts'

const READ_MS = 500

/** Sends so many rows and then nothing more, and leaves the body open. */
async function sendOpenEnded(rowCount: number, writeMs: number) {
  const seen: RawRow[] = []
  const app = await startHttpApp({
    services: {
      imports: {
        async importRows(_caller, rows) {
          seen.push(...rows)
          if (writeMs > 0) await sleep(writeMs)
          return rows.map(({ line }) => ({ line, outcome: 'created' }))
        },
      },
    },
    http: { importReadMs: READ_MS },
  })
  try {
    const sent = request(`${app.url}/v3/grants/import`, {
      method: 'POST',
      headers: { authorization: `Bearer ${app.key}`, 'content-type': 'application/x-ndjson' },
    })
    sent.write(
      ndjson(Array.from({ length: rowCount }, (_, at) => ({ provider: 'imap', email: `${at}@example.com` }))),
    )
    const answer = await new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
      sent.on('error', reject)
      sent.on('response', (response) => {
        let body = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => {
          body += chunk
        })
        response.on('end', () => resolve({ status: response.statusCode, body }))
      })
    })
    sent.destroy()
    assert.equal(answer.status, 413, answer.body)
    return { message: (JSON.parse(answer.body) as { error: { message: string } }).error.message, seen }
  } finally {
    await app.close()
  }
}

test('a body that does not end in time is answered 413 with how far it got', async () => {
  // The second batch never gets whole.
  const { message, seen } = await sendOpenEnded(250, 0)
  assert.match(message, /its first 200 rows are done\. Send it again to go on/)
  assert.equal(seen.length, 200)
})

test('what is being written when the time is up is finished and counted, and no more is begun', async () => {
  const { message, seen } = await sendOpenEnded(1000, READ_MS * 1.5)
  assert.ok(seen.length >= 400 && seen.length < 1000, `${seen.length}`)
  assert.match(message, new RegExp(`its first ${seen.length} rows are done`))
})
