// `npm run fuzz -- [--seconds 60] [--seed 1] [--area "MIME"]`: every area for that long, or the one that is named.
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { PURE_AREAS, startHttpAreas } from './areas.ts'
import { startImapArea } from './imap-area.ts'
import { runArea } from './run-area.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
    area: { type: 'string' },
  },
})
const http = await startHttpAreas()
const imap = await startImapArea()
try {
  const areas = [...PURE_AREAS, ...http.areas, imap.area].filter(({ name }) => (values.area ?? name) === name)
  if (areas.length === 0) throw new Error(`there is no area ${values.area}`)
  console.log(`seed ${values.seed}`)
  for (const area of areas) {
    const runs = await runArea(area, Number(values.seconds), Number(values.seed))
    console.log(`${area.name}: ${runs} inputs`)
  }
} finally {
  await http.stop()
  await imap.stop()
}
