// The real command line over an application that does nothing but hold one request open when asked to.
// Started as a process by lifetime.test.ts.
import { setTimeout as later } from 'node:timers/promises'
import type { AppCommands } from '../../src/app/commands.ts'
import { processContext } from '../../src/cli/context.ts'
import { createProgram } from '../../src/cli/program.ts'

const hang = process.env['FAKE_STOP'] === 'hang'
const stop = async () => {
  process.stderr.write('stopping\n')
  if (hang) await later(60_000)
  process.stderr.write('stopped\n')
}
const never = () => Promise.reject(new Error('not part of this test'))

const app: AppCommands = {
  serve: (_config, { role }) => {
    process.stderr.write(`role ${role}\n`)
    setInterval(() => {}, 60_000) // as an open listener does: keeps the process alive
    return Promise.resolve({ url: 'http://127.0.0.1:1', stop })
  },
  demo: (_config, options) => {
    options.write('walked')
    return Promise.resolve({ ok: process.env['FAKE_DEMO'] !== 'failed', url: 'http://127.0.0.1:1', stop })
  },
  sandbox: () => Promise.resolve({ url: 'http://127.0.0.1:2', stop, environment: { GRANTWAY_X: 'y' } }),
  migrate: never,
  admin: never,
  rotateKeys: never,
  doctor: never,
  importGrants: never,
  openapi: never,
}

await createProgram({ ...processContext(), app: () => Promise.resolve(app) }, '0.0.0').parseAsync()
