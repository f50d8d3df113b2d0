// `npm run bench [-- B9 B10]`: measures, prints ratios against a reference run in the same process group, and
// writes bench/results.json. Never part of the tests: figures depend on the machine, ratios much less.
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { measureDependencies } from './dependencies.ts'
import type { Figure } from './figure.ts'
import { measureStart } from './start.ts'

const BENCHES: { readonly [id: string]: () => Promise<readonly Figure[]> } = {
  B9: measureStart,
  B10: measureDependencies,
}

const results: Record<string, readonly Figure[]> = {}
const wanted = process.argv.slice(2)
for (const [id, measure] of Object.entries(BENCHES)) {
  if (wanted.length > 0 && !wanted.includes(id)) continue
  const figures = await measure()
  results[id] = figures
  for (const { name, value, unit, bar } of figures) {
    const verdict =
      bar === undefined ? '' : value <= bar ? `  (bar ${bar}: reached)` : `  (bar ${bar}: MISSED)`
    console.log(`${id}  ${name}: ${value} ${unit}${verdict}`)
  }
}

const machine = {
  node: process.version,
  cpu: cpus()[0]?.model,
  cores: cpus().length,
  platform: process.platform,
}
const file = fileURLToPath(new URL('results.json', import.meta.url))
writeFileSync(
  file,
  `${JSON.stringify({ measuredAt: new Date().toISOString(), machine, results }, null, 2)}\n`,
)
console.log(`wrote ${file}`)
