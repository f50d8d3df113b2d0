import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { History, Violation } from './check-history.ts'
import type { Step } from './database-log.ts'

/**
 * Writes what a run has recorded into a folder: `history.json` (times in milliseconds since the harness began),
 * `steps.json` (every change of a row, on the same clock) and the log of each process.
 */
export async function writeEvidence(
  folder: string,
  found: {
    readonly violations: readonly Violation[]
    readonly recorded: History
    readonly steps: readonly Step[]
    readonly logs: ReadonlyMap<string, () => string>
  },
): Promise<void> {
  await mkdir(folder, { recursive: true })
  const { violations, recorded, steps, logs } = found
  const history = {
    originMs: performance.timeOrigin,
    violations,
    ...recorded,
    committed: [...recorded.committed],
    granted: [...recorded.granted],
    stored: [...recorded.stored],
  }
  await writeFile(join(folder, 'history.json'), JSON.stringify(history))
  const lines = steps.map((step) => JSON.stringify({ ...step, atMs: step.atMs - performance.timeOrigin }))
  await writeFile(join(folder, 'steps.jsonl'), lines.join('\n'))
  for (const [name, log] of logs) await writeFile(join(folder, `${name}.log`), log())
}
