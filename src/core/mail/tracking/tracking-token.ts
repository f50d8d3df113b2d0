import { timingSafeEqual } from 'node:crypto'
import type { Vault } from '../../ports/vault.ts'

/** What a token stands for. */
export type TrackingToken =
  | { readonly kind: 'open'; readonly id: string }
  | { readonly kind: 'link'; readonly id: string; readonly link: number }

/** 16 random bytes in base64url: a tracking id, and the length of a MAC. */
const PART = '[A-Za-z0-9_-]{22}'
const OPEN = new RegExp(`^(${PART})(${PART})$`)
const LINK = new RegExp(`^(${PART})(${PART})(0|[1-9][0-9]?)$`)
const MAC_BYTES = 16

/**
 * Writes a token: the tracking id, a MAC and, of a link, its index. It says nothing about anybody, and only this
 * server can make one: what carries no valid MAC never reaches the database.
 */
export function writeToken(vault: Pick<Vault, 'digest'>, token: TrackingToken): string {
  const mac = macOf(vault, token).toString('base64url')
  return `${token.id}${mac}${token.kind === 'link' ? token.link : ''}`
}

/** Reads a token. @returns null for one that this server has not made for that kind */
export function readToken(
  vault: Pick<Vault, 'digest'>,
  kind: TrackingToken['kind'],
  text: string,
): TrackingToken | null {
  const [, id, mac, link] = (kind === 'open' ? OPEN : LINK).exec(text) ?? []
  if (id === undefined || mac === undefined) return null
  const token: TrackingToken = kind === 'open' ? { kind, id } : { kind, id, link: Number(link) }
  const given = Buffer.from(mac, 'base64url')
  const made = macOf(vault, token)
  return given.length === made.length && timingSafeEqual(given, made) ? token : null
}

function macOf(vault: Pick<Vault, 'digest'>, token: TrackingToken): Buffer {
  const value = JSON.stringify(
    token.kind === 'open' ? [token.kind, token.id] : [token.kind, token.id, token.link],
  )
  return Buffer.from(vault.digest('tracking', value), 'hex').subarray(0, MAC_BYTES)
}
