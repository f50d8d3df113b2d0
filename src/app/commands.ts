import type { Config } from '../config/schema.ts'
import type { ApplicationId } from '../contract/ids.ts'
import type { ImportOptions, RawRow } from '../core/ports/import.ts'
import type { ImportRequest } from './import/import-grants.ts'
import type { RotationState } from '../core/vault/rotation-state.ts'

/** What the command line can ask of the application; implemented by `app` in main.ts. */
export interface AppCommands {
  /**
   * Starts the server; resolves when it answers.
   * @throws StartError when it must not start: a second serve on the data folder, a missing or wrong key, …
   */
  serve(
    config: Config,
    options: { readonly role: 'all' | 'api' | 'worker' },
  ): Promise<{ readonly url: string; stop(): Promise<void> }>
  demo(
    config: Config,
    options: { readonly write: (line: string) => void; readonly signal: AbortSignal },
  ): Promise<{ readonly ok: boolean; readonly url: string; stop(): Promise<void> }>
  sandbox(options: {
    readonly port: number
  }): Promise<{ readonly url: string; stop(): Promise<void>; readonly environment: Record<string, string> }>
  migrate(config: Config): Promise<readonly string[]>
  /** Runs an admin command: directly on PostgreSQL or an idle data folder, else through the running serve's admin socket. */
  admin(config: Config, command: AdminCommand): Promise<unknown>
  doctor(config: Config): Promise<
    readonly {
      readonly check: string
      readonly ok: boolean
      readonly detail: string
      readonly advice?: string
    }[]
  >
  /** Rotates the data keys, or only wraps them anew; beside a running serve step by step through its admin socket. */
  rotateKeys(
    config: Config,
    options: { readonly rewrap: boolean; readonly onProgress: (progress: RotationProgress) => void },
  ): Promise<RotationOutcome>
  /** Imports grants; beside a running serve batch by batch through its admin socket. */
  importGrants(config: Config, request: ImportRequest): Promise<void>
  openapi(): Promise<object>
}

/** Where a key rotation stands, for a progress bar. */
export interface RotationProgress {
  readonly phase: 'reseal' | 'close' | 'sweep'
  /** rows of both walks */
  readonly total: number
  readonly seen: number
  readonly resealed: number
  /** it goes on with one that was interrupted */
  readonly isResumed: boolean
}

/** What a key rotation came to: `keys.rotated` or `keys.rewrapped`. */
export type RotationOutcome =
  | {
      readonly event: 'keys.rotated'
      readonly key: string
      readonly resealed: number
      readonly deleted: readonly string[]
      readonly unreadable: readonly string[]
      readonly resumed: boolean
    }
  | { readonly event: 'keys.rewrapped'; readonly rewrapped: number; readonly under: string }

export type AdminCommand =
  | { readonly name: 'keys.create'; readonly applicationId?: string; readonly keyName: string }
  | { readonly name: 'keys.list'; readonly applicationId?: string }
  | { readonly name: 'keys.revoke'; readonly id: string }
  | { readonly name: 'apps.create'; readonly appName: string; readonly id?: string }
  | { readonly name: 'apps.list' }
  | { readonly name: 'import.open'; readonly applicationId?: string }
  | {
      readonly name: 'import.batch'
      readonly applicationId: ApplicationId
      readonly rows: readonly RawRow[]
      readonly options: ImportOptions
    }
  /** `under`: first encryption key of the caller's configuration, which the server must have, too */
  | { readonly name: 'rotation.begin'; readonly under?: string }
  | { readonly name: 'rotation.rewrap'; readonly under?: string }
  | { readonly name: 'rotation.step'; readonly state: RotationState }
  | {
      readonly name: 'audit.list'
      readonly applicationId?: string
      readonly actor?: string
      readonly action?: string
      readonly target?: string
      /** Unix seconds, inclusive */
      readonly since?: number
      readonly until?: number
      readonly limit: number
      /** of the page before */
      readonly beforeSeq?: number
    }
  /** How grants and connectors are doing: the lines of `doctor` that need the open database. */
  | { readonly name: 'doctor.grants' }
