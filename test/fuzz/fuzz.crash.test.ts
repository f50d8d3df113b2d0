import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { after, before, test } from 'node:test'
import { type FuzzArea, PURE_AREAS, startHttpAreas } from './areas.ts'
import { startImapArea } from './imap-area.ts'
import { runArea } from './run-area.ts'

/*
 * Ten seconds of each area. Longer, or with the seed of a failure: `npm run fuzz`. A process of its own (hence the name
 * of this file): what nobody handles is counted as a failure of the area that caused it.
 */

const SECONDS = 10
const HTTP_AREAS = ['query strings', 'page tokens', 'JSON bodies', 'multipart forms']

let http: Awaited<ReturnType<typeof startHttpAreas>>
let imap: Awaited<ReturnType<typeof startImapArea>>

before(async () => {
  http = await startHttpAreas()
  imap = await startImapArea()
})
after(async () => {
  await http.stop()
  await imap.stop()
})

async function fuzz(area: FuzzArea | undefined): Promise<void> {
  assert.ok(area)
  const seed = randomInt(2 ** 31)
  assert.ok((await runArea(area, SECONDS, seed)) > 20, `seed ${seed}: next to nothing was tried`)
}

for (const area of PURE_AREAS) {
  test(`${area.name}: no input throws or takes a second`, () => fuzz(area))
}
for (const name of HTTP_AREAS) {
  test(`${name}: no request is answered with 500 or takes a second`, () =>
    fuzz(http.areas.find((area) => area.name === name)))
}

test('IMAP: no answer of a mail server ends in a 500, a hang, or trouble for the next request', () =>
  fuzz(imap.area))
