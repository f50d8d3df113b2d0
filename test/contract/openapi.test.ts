import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import { openApiDocument } from '../../src/http/openapi.ts'
import { allRoutes } from '../../src/http/routes/all.ts'

const GOLDEN = new URL('openapi.golden.json', import.meta.url)

// To record a wanted change: UPDATE_GOLDEN=1 node --test test/contract/openapi.test.ts
test('describes the API as recorded', async () => {
  const document = `${JSON.stringify(openApiDocument({ version: '0.0.0' }), null, 2)}\n`
  if (process.env['UPDATE_GOLDEN'] === '1') await writeFile(GOLDEN, document)
  assert.equal(document, await readFile(GOLDEN, 'utf8'))
})

test('resolves every reference, names every operation once, and hides only aliases', () => {
  const document = openApiDocument({ version: '0.0.0', serverUrl: 'https://mail.example' })
  const text = JSON.stringify(document)
  const { schemas } = document['components'] as { schemas: Record<string, unknown> }
  const references = [...text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(
    (match) => match[1] ?? '',
  )
  assert.deepEqual([...new Set(references)].toSorted(), Object.keys(schemas).toSorted())
  assert.ok(!text.includes('"$id"'))

  const operations = [...text.matchAll(/"operationId":"([^"]+)"/g)].map((match) => match[1] ?? '')
  const shown = allRoutes().filter((route) => !route.hidden)
  const browser = ['startHostedAuthentication', 'finishHostedAuthentication']
  assert.deepEqual(operations.toSorted(), [...browser, ...shown.map((route) => route.operationId)].toSorted())
  assert.deepEqual(document['servers'], [{ url: 'https://mail.example' }])
  assert.ok('/v3/grants/{grant_id}/folders/{id}' in (document['paths'] as object))
})
