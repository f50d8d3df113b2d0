// `npm run bench [-- B9 B10]`: measures, prints ratios against a reference run in the same process group, and
// writes bench/results.json. Never part of the tests: figures depend on the machine, ratios much less.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { measureConnect } from './connect.ts'
import { measureDependencies } from './dependencies.ts'
import type { Figure } from './figure.ts'
import { measureGmailList } from './gmail-list.ts'
import { measureImport } from './grant-import.ts'
import { measureGraphList } from './graph-list.ts'
import { measureImap } from './imap.ts'
import { measureRefreshAhead } from './refresh-ahead.ts'
import { measureStart } from './start.ts'
import { measureStreaming } from './streaming.ts'
import { measureTokens } from './tokens.ts'

const BENCHES: { readonly [id: string]: () => Promise<readonly Figure[]> } = {
  B1: measureGraphList,
  B2: measureGmailList,
  B3: measureImap,
  B4: measureTokens,
  B5: measureConnect,
  B7: measureRefreshAhead,
  B8: measureImport,
  B9: measureStart,
  B10: measureDependencies,
  streaming: measureStreaming,
}

const file = fileURLToPath(new URL('results.json', import.meta.url))
// Figures that are not measured this time stay as they were.
const results: Record<string, readonly Figure[]> = existsSync(file)
  ? (JSON.parse(readFileSync(file, 'utf8')) as { results: Record<string, readonly Figure[]> }).results
  : {}
// `--rows` belongs to B8.
const wanted = process.argv.slice(2).filter((word) => word in BENCHES)
for (const [id, measure] of Object.entries(BENCHES)) {
  if (wanted.length > 0 && !wanted.includes(id)) continue
  const figures = await measure()
  results[id] = figures
  for (const figure of figures)
    console.log(`${id}  ${figure.name}: ${figure.value} ${figure.unit}${verdict(figure)}`)
}

const machine = {
  node: process.version,
  cpu: cpus()[0]?.model,
  cores: cpus().length,
  platform: process.platform,
}
writeFileSync(
  file,
  `${JSON.stringify({ measuredAt: new Date().toISOString(), machine, results }, null, 2)}\n`,
)
console.log(`wrote ${file}`)

function verdict({ value, bar, atLeast }: Figure): string {
  if (bar !== undefined) return value <= bar ? `  (bar ${bar}: reached)` : `  (bar ${bar}: MISSED)`
  if (atLeast === undefined) return ''
  return value >= atLeast ? `  (bar ${atLeast}: reached)` : `  (bar ${atLeast}: MISSED)`
}
