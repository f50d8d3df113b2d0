// Runs a TypeScript file of this clone on a Node that can: this one when it is 24 or newer, else the one that
// the dev dependency `node` brought. Plain JavaScript, so that any Node can read it (docs/decisions/0001).
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const carried = `${root}node_modules/node/bin/node`
const [file, ...args] = process.argv.slice(2)

if (Number(process.versions.node.split('.')[0]) >= 24) {
  process.argv.splice(1, Number.POSITIVE_INFINITY, `${root}${file}`, ...args)
  await import(`${root}${file}`)
} else if (existsSync(carried)) {
  const child = spawn(carried, [`${root}${file}`, ...args], { stdio: 'inherit' })
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const signal of signals) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => {
    for (const name of signals) process.removeAllListeners(name)
    if (signal) process.kill(process.pid, signal)
    else process.exitCode = code ?? 1
  })
} else {
  console.error(
    `Grantway needs Node.js 24 or newer; this is ${process.version}.\n` +
      'A clone brings its own: run `npm install` with install scripts allowed for the package "node"\n' +
      '(`npm rebuild node --ignore-scripts=false` if they were off). On Alpine: `apk add nodejs-current`.',
  )
  process.exit(1)
}
