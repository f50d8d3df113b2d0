import { startSandbox } from '../sandbox/start-sandbox.ts'
import type { AppCommands } from './commands.ts'

/** Starts the sandbox alone, for people's own CI. */
export const runSandbox: AppCommands['sandbox'] = async ({ port }) => {
  const sandbox = await startSandbox({ host: '127.0.0.1', port })
  return { url: sandbox.url, stop: () => sandbox.stop(), environment: { ...sandbox.endpoints } }
}
