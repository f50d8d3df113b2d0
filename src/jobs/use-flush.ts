import type { AccessTokens } from '../core/grants/access-tokens.ts'
import type { Logger } from '../kit/logger.ts'
import { type Loop, startLoop } from './loop.ts'

const EVERY_MS = 60_000

/**
 * Writes down once a minute which grants this process has used. It runs in every process that answers requests,
 * whatever its role: only the process itself knows.
 */
export function startUseFlush(deps: { readonly accessTokens: AccessTokens; readonly log: Logger }): Loop {
  const { accessTokens, log } = deps
  const loop = startLoop({
    name: 'use-flush',
    log,
    everyMs: EVERY_MS,
    async run() {
      await accessTokens.flushUses()
      return false
    },
  })
  return {
    wake: () => loop.wake(),
    async stop() {
      await loop.stop()
      await accessTokens.flushUses().catch((error: unknown) => {
        log.warn({ err: error }, 'grant.uses_lost')
      })
    },
  }
}
