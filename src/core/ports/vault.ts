import type { ApplicationId } from '../../contract/ids.ts'

/** Where a sealed value stands: bound into the seal, so that a value moved elsewhere does not open. */
export interface SealPlace {
  readonly table: string
  readonly column: string
  readonly rowId: string
  readonly applicationId: ApplicationId
}

/** Sealing as core's use-cases need it; implemented in core/vault. */
export interface Vault {
  /** Seals under the newest data key. Seal inside what is tried again: a write under a key that was closed meanwhile is refused with a 503. */
  seal(place: SealPlace, plaintext: string): string
  /**
   * Opens a sealed value. A known data key needs no I/O; an unknown one makes the keys be read again, once.
   * @throws when the seal does not open at that place: a fault of ours or tampering, never the client's
   */
  open(place: SealPlace, sealed: string): Promise<string>
  /** Keyed digest (hex) that finds equal secrets without storing them; `purpose` separates uses. */
  digest(purpose: 'refresh-token' | 'credential' | 'cursor' | 'tracking', value: string): string
}
