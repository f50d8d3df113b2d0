// `npm run torture`: the long run of token refreshes; `npm run torture -- webhooks`: 1,000 kills during webhook delivery.
// Ends with 1 when something happened that must not.
import { parseArgs } from 'node:util'
import { runWebhookKills } from '../crash/webhook-kills.ts'
import { runTorture } from './run-torture.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    kills: { type: 'string', default: '1000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    refreshes: { type: 'string', default: '10000' },
    seconds: { type: 'string', default: '3600' },
    grants: { type: 'string', default: '200' },
    processes: { type: 'string', default: '4' },
    without: { type: 'string' },
    evidence: { type: 'string' },
  },
})
const startMs = performance.now()
const tell = (line: string) => {
  console.log(`${String(Math.round((performance.now() - startMs) / 1000)).padStart(5)} s  ${line}`)
}
process.exitCode = positionals[0] === 'webhooks' ? await killDeliveries() : await tortureTokens()

async function killDeliveries(): Promise<number> {
  // Throws when an event is lost, or when what comes twice is not the same.
  const report = await runWebhookKills({ kills: Number(values.kills) })
  for (const [name, value] of Object.entries(report)) console.log(`${name.padEnd(24)} ${value}`)
  return 0
}

async function tortureTokens(): Promise<number> {
  tell(`seed ${values.seed}`)
  const { summary, violations, oddities } = await runTorture({
    seed: Number(values.seed),
    refreshes: Number(values.refreshes),
    seconds: Number(values.seconds),
    grants: Number(values.grants),
    processes: Number(values.processes),
    ...(values.without === 'outages' || values.without === 'long stops' ? { without: values.without } : {}),
    evidence: values.evidence,
    tell,
  })
  for (const [name, value] of Object.entries(summary)) console.log(`${name.padEnd(24)} ${value}`)
  for (const { kind, grant, detail } of violations) console.log(`VIOLATION ${kind}: ${grant}: ${detail}`)
  for (const oddity of oddities) console.log(`ODD: ${oddity}`)
  return violations.length + oddities.length > 0 ? 1 : 0
}
