import { createHmac } from 'node:crypto'
import { secretKeyOf } from '../../kit/secret-key.ts'
import { decryptAead, encryptAead } from '../../kit/aead.ts'
import type { SealPlace, Vault } from '../ports/vault.ts'
import type { DataKeys } from './data-keys.ts'

const FORMAT = 'g1'

/** The data keys as the vault uses them: they may change under it while a rotation runs. */
export interface VaultKeys extends DataKeys {
  /** Reads them from the database again; absent where they never change. */
  reload?(): Promise<unknown>
  /** Counts a value sealed under the current key. */
  countSeal?(): void
}

/**
 * Makes the vault over loaded data keys. A sealed value is `g1.<data key id>.<base64url of nonce, ciphertext,
 * tag>`; format, key id and place (table, column, row, application) are authenticated with it.
 */
export function createVault(keys: VaultKeys): Vault {
  const keyOf = async (id: string): Promise<Buffer | undefined> => {
    const known = keys.sealKeys.get(id)
    if (known || !keys.reload) return known
    // Made by a rotation of another process since the keys were read.
    await keys.reload()
    return keys.sealKeys.get(id)
  }
  return {
    seal(place, plaintext) {
      const { id, key } = keys.current
      const box = encryptAead(key, Buffer.from(plaintext, 'utf8'), aadOf(id, place))
      keys.countSeal?.()
      return `${sealedUnder(id)}${box.toString('base64url')}`
    },
    async open(place, sealed) {
      const id = dataKeyOf(sealed)
      const key = id === undefined ? undefined : await keyOf(id)
      if (id === undefined || !key) {
        throw new Error(`sealed value of ${place.table}.${place.column} has an unknown format or key`)
      }
      const box = Buffer.from(sealed.slice(sealedUnder(id).length), 'base64url')
      return decryptAead(key, box, aadOf(id, place)).toString('utf8')
    },
    digest(purpose, value) {
      return createHmac('sha256', secretKeyOf(keys.lookupKey)).update(`${purpose}\0${value}`).digest('hex')
    },
  }
}

/** How each value that is sealed under a data key begins. */
function sealedUnder(keyId: string): string {
  return `${FORMAT}.${keyId}.`
}

/** Id of the data key that a value is sealed under; undefined for what is no sealed value. */
export function dataKeyOf(sealed: string): string | undefined {
  const [format, id, box, ...rest] = sealed.split('.', 4)
  return format === FORMAT && id && box !== undefined && rest.length === 0 ? id : undefined
}

function aadOf(keyId: string, place: SealPlace): string {
  return JSON.stringify([FORMAT, keyId, place.table, place.column, place.rowId, place.applicationId])
}
