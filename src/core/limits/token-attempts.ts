import type { TokenDeps } from '../tokens/token-deps.ts'
import { networkOf } from './network-of.ts'
import type { CountingLimits } from './request-limits.ts'

/**
 * Counts refused attempts at `connect/token` per address and client, so that who guesses is stopped for a while and the
 * client itself, at its own address, is not. Each process stops him once it has counted one too many.
 */
export function createTokenAttempts(limits: CountingLimits): NonNullable<TokenDeps['attempts']> {
  const subjectOf = (ip: string, clientId: string) => JSON.stringify([networkOf(ip), clientId])
  return {
    async admit({ ip, clientId }) {
      if (ip !== null) limits.check('token-refusals', subjectOf(ip, clientId))
    },
    async refused({ ip, clientId }) {
      if (ip !== null) await limits.count('token-refusals', subjectOf(ip, clientId))
    },
  }
}
