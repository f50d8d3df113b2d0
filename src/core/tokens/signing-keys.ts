import type { CryptoKey, JWK, JWTPayload } from 'jose'
import { applicationId } from '../../contract/ids.ts'
import type { JsonObject } from '../../kit/json.ts'
import { SingleFlight } from '../../kit/single-flight.ts'
import type { SigningKeyRecord } from '../ports/oauth-stores.ts'
import type { SealPlace } from '../ports/vault.ts'
import type { TokenDeps } from './token-deps.ts'

/** ES256: small, fast to make and to check, and every JOSE library has it. */
const ALGORITHM = 'ES256'
const ROTATE_AFTER_MS = 90 * 24 * 60 * 60 * 1000
/** How long a process goes on signing with a key that another one has replaced. */
const REMEMBER_MS = 60_000
const FLIGHT_MS = 10_000

/** How long a retired key stays published: until its last token is over, and clients may remember keys as well. */
export const RETIRED_KEY_LIFE_MS = 24 * 60 * 60 * 1000

/** The keys of our id tokens: made when the first is needed, replaced after 90 days. */
export interface SigningKeys {
  sign(claims: JWTPayload): Promise<string>
  /** Checks signature, time and issuer. @returns null for anything that is not a token of ours or is over */
  verify(token: string): Promise<JWTPayload | null>
  /** Public halves (RFC 7517), the newest first, retired ones too. */
  published(): Promise<readonly JsonObject[]>
}

interface Signer {
  readonly kid: string
  readonly key: CryptoKey
  readonly untilMs: number
}

export function createSigningKeys(
  deps: Pick<TokenDeps, 'database' | 'vault' | 'clock' | 'log' | 'issuer'>,
): SigningKeys {
  const { database, vault, clock } = deps
  const flight = new SingleFlight<Signer>(FLIGHT_MS)
  let signer: Signer | null = null

  async function current(): Promise<Signer> {
    if (signer && signer.untilMs > clock.nowMs()) return signer
    signer = await flight.run('signer', loadSigner)
    return signer
  }

  async function loadSigner(): Promise<Signer> {
    const { importJWK } = await import('jose')
    const record = signs(await database.stores.signingKeys.list()) ?? (await rotate())
    const jwk = JSON.parse(await vault.open(placeOf(record.kid), record.sealedPrivate)) as JWK
    // A JWK of an elliptic curve gives a key; bytes are for symmetric ones.
    const key = (await importJWK(jwk, ALGORITHM)) as CryptoKey
    return { kid: record.kid, key, untilMs: clock.nowMs() + REMEMBER_MS }
  }

  /** The key that signs now; undefined where there is none or it is too old. */
  function signs(keys: readonly SigningKeyRecord[]): SigningKeyRecord | undefined {
    const [newest] = keys.filter(({ retiredAtMs }) => retiredAtMs === null)
    return newest && clock.nowMs() - newest.createdAtMs < ROTATE_AFTER_MS ? newest : undefined
  }

  async function rotate(): Promise<SigningKeyRecord> {
    const { calculateJwkThumbprint, exportJWK, generateKeyPair } = await import('jose')
    const pair = await generateKeyPair(ALGORITHM, { extractable: true })
    const publicJwk = await exportJWK(pair.publicKey)
    const kid = await calculateJwkThumbprint(publicJwk)
    const sealedPrivate = vault.seal(placeOf(kid), JSON.stringify(await exportJWK(pair.privateKey)))
    const { signingKeys } = database.stores
    await signingKeys.insert({ kid, publicJwk: { ...publicJwk }, sealedPrivate })
    // Of processes that rotate at once all take the same key: the newest. What the others signed meanwhile is still
    // checked by their key, which stays published.
    const chosen = signs(await signingKeys.list())
    if (!chosen) throw new Error('a new signing key is not there')
    await signingKeys.retireOthers(chosen.kid)
    deps.log.info({ kid: chosen.kid }, 'signing_key.made')
    return chosen
  }

  return {
    async sign(claims) {
      const { SignJWT } = await import('jose')
      const { kid, key } = await current()
      return new SignJWT(claims).setProtectedHeader({ alg: ALGORITHM, typ: 'JWT', kid }).sign(key)
    },

    async verify(token) {
      const { errors, importJWK, jwtVerify } = await import('jose')
      const keys = await database.stores.signingKeys.list()
      try {
        const { payload } = await jwtVerify(
          token,
          ({ kid }) => {
            const found = keys.find((key) => key.kid === kid)
            if (!found) throw new errors.JWKSNoMatchingKey()
            return importJWK({ ...found.publicJwk } as JWK, ALGORITHM)
          },
          { algorithms: [ALGORITHM], issuer: deps.issuer(), currentDate: new Date(clock.nowMs()) },
        )
        return payload
      } catch (error) {
        if (error instanceof errors.JOSEError) return null
        throw error
      }
    },

    async published() {
      await current()
      const keys = await database.stores.signingKeys.list()
      return keys.map(({ kid, publicJwk }) => ({ ...publicJwk, kid, alg: ALGORITHM, use: 'sig' }))
    },
  }
}

/** The keys are the installation's, not an application's. */
function placeOf(kid: string): SealPlace {
  return { table: 'signing_keys', column: 'sealed_private', rowId: kid, applicationId: applicationId('') }
}
