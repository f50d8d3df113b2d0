import type { Config } from '../config/schema.ts'

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
  openapi(): Promise<object>
}

export type AdminCommand =
  | { readonly name: 'keys.create'; readonly applicationId?: string; readonly keyName: string }
  | { readonly name: 'keys.list'; readonly applicationId?: string }
  | { readonly name: 'keys.revoke'; readonly id: string }
  | { readonly name: 'apps.create'; readonly appName: string; readonly id?: string }
  | { readonly name: 'apps.list' }
