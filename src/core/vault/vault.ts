import { createHmac } from 'node:crypto'
import { decryptAead, encryptAead } from '../../kit/aead.ts'
import type { SealPlace, Vault } from '../ports/vault.ts'
import type { DataKeys } from './data-keys.ts'

const FORMAT = 'g1'

/**
 * Makes the vault over loaded data keys. A sealed value is `g1.<data key id>.<base64url of nonce, ciphertext,
 * tag>`; format, key id and place (table, column, row, application) are authenticated with it.
 */
export function createVault(keys: DataKeys): Vault {
  return {
    seal(place, plaintext) {
      const { id, key } = keys.current
      const box = encryptAead(key, Buffer.from(plaintext, 'utf8'), aadOf(id, place))
      return `${FORMAT}.${id}.${box.toString('base64url')}`
    },
    open(place, sealed) {
      const [format, id, box] = sealed.split('.')
      const key = id === undefined ? undefined : keys.sealKeys.get(id)
      if (format !== FORMAT || id === undefined || box === undefined || !key) {
        throw new Error(`sealed value of ${place.table}.${place.column} has an unknown format or key`)
      }
      return decryptAead(key, Buffer.from(box, 'base64url'), aadOf(id, place)).toString('utf8')
    },
    digest(purpose, value) {
      return createHmac('sha256', keys.lookupKey).update(`${purpose}\0${value}`).digest('hex')
    },
  }
}

function aadOf(keyId: string, place: SealPlace): string {
  return JSON.stringify([FORMAT, keyId, place.table, place.column, place.rowId, place.applicationId])
}
