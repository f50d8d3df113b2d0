import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startSandbox } from '../../sandbox/start-sandbox.ts'
import { SANDBOX_CLIENT_ID, SANDBOX_CLIENT_SECRET } from '../../sandbox/state.ts'
import type { AppCommands } from '../commands.ts'
import { createLogger } from '../logger.ts'
import { startServer } from '../serve.ts'
import { demoConfig } from './demo-config.ts'
import { walk } from './walk.ts'

const EMAIL = 'ada@sandbox.example'

/**
 * From nothing to a working grant: sandbox, server with a throw-away data folder, and the walk through both.
 * Everything it made is gone after `stop`.
 */
export const runDemo: AppCommands['demo'] = async (config, { write, signal }) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'grantway-demo-'))
  const apiKey = randomBytes(24).toString('base64url')
  const sandbox = await startSandbox({ host: '127.0.0.1' })
  const { control } = sandbox
  const log = createLogger(config.logLevel === 'info' ? 'error' : config.logLevel)
  const server = await startServer(demoConfig(config, dataDir, apiKey, sandbox.endpoints), 'all', log)
  const stop = async () => {
    await server.stop()
    await sandbox.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
  try {
    write(`Grantway is up at ${server.url}, with a sandbox in place of Google at ${sandbox.url}.`)
    write(`API key: ${apiKey}`)
    const ok = await walk({
      url: server.url,
      apiKey,
      write,
      signal,
      sandbox: {
        clientId: SANDBOX_CLIENT_ID,
        clientSecret: SANDBOX_CLIENT_SECRET,
        email: EMAIL,
        refreshToken: control.mintRefreshToken(EMAIL),
        mintRefreshToken: () => control.mintRefreshToken(EMAIL),
        revokeConsent: () => control.revokeUser(EMAIL),
      },
    })
    write('')
    write(ok ? 'Every step worked.' : 'A step did not work.')
    return { ok, url: server.url, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
