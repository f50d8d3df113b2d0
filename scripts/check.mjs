// `npm run check`: runs every step, also after a failed one, and names those that failed.
// Plain JavaScript, so that it starts on any Node (docs/decisions/0001).
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const bin = (name) => `${root}node_modules/.bin/${name}`

const STEPS = [
  ['types', bin('tsc'), ['--noEmit', '-p', '.']],
  ['lint', bin('oxlint'), ['--type-aware', '--deny-warnings']],
  ['format', bin('biome'), ['check', '--error-on-warnings', '.']],
  ['dead code', bin('knip'), []],
  ['generated files', process.execPath, ['scripts/launch.mjs', 'scripts/generate-docs.ts', '--check']],
]

const failed = []
for (const [name, command, args] of STEPS) {
  console.log(`check: ${name}`)
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' })
  if (error) console.error(`check: cannot run ${command}: ${error.message}. Is "npm ci" done?`)
  if (status !== 0) failed.push(name)
}
console.log(failed.length === 0 ? 'check: all passed' : `check: FAILED: ${failed.join(', ')}`)
process.exitCode = failed.length === 0 ? 0 : 1
