import { LRUCache } from 'lru-cache'
import type { Clock } from '../../../kit/clock.ts'
import { networkOf } from '../../limits/network-of.ts'

const WINDOW_MS = 60_000
/** Whole offices and the image proxies of mail providers are one address. */
const MOST_PER_ADDRESS = 3_000
const MOST_PER_ADDRESS_AND_MESSAGE = 20
const REMEMBERED = 20_000

/**
 * Bounds what one address makes count in a minute, in all and for one message. Per process and in memory: what is too
 * much is answered like anything else, so there is nothing to win, and a write per request would be the greater harm.
 */
export function createHitLimit(clock: Clock): (ip: string, id: string) => boolean {
  const windows = new LRUCache<string, { endsMs: number; used: number }>({ max: REMEMBERED })
  function fits(key: string, most: number): boolean {
    const nowMs = clock.nowMs()
    const known = windows.get(key)
    const open = known && nowMs < known.endsMs && nowMs > known.endsMs - 2 * WINDOW_MS
    const window = open ? known : { endsMs: nowMs + WINDOW_MS, used: 0 }
    window.used += 1
    windows.set(key, window)
    return window.used <= most
  }
  return (ip, id) => {
    const network = networkOf(ip)
    return fits(network, MOST_PER_ADDRESS) && fits(`${network} ${id}`, MOST_PER_ADDRESS_AND_MESSAGE)
  }
}
