// Runs a TypeScript file of this clone on a Node that can: this one when it is 24 or newer, else the one that
// the dev dependency `node` brought. Plain JavaScript, so that any Node can read it (docs/decisions/0001).
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const carried = `${root}node_modules/node/bin/node`
const ownIsNewEnough = Number(process.versions.node.split('.')[0]) >= 24
if (!ownIsNewEnough && !existsSync(carried)) {
  console.error(
    `Grantway needs Node.js 24 or newer; this is ${process.version}.\n` +
      'A clone brings its own: run `npm install --ignore-scripts=false` (install scripts must be allowed for the package "node").\n' +
      'On Alpine install it with `apk add nodejs-current`, elsewhere from your package manager.',
  )
  process.exit(1)
}
const [file, ...args] = process.argv.slice(2)
const child = spawn(ownIsNewEnough ? process.execPath : carried, [`${root}${file}`, ...args], {
  stdio: 'inherit',
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => {
  if (signal) process.kill(process.pid, signal)
  else process.exit(code ?? 1)
})
