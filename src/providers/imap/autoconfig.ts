/** A mail server as autoconfiguration names it. */
export interface DetectedServer {
  readonly host: string
  readonly port: number
  readonly tls: 'implicit' | 'starttls'
  /** The user name to sign in with, where it is another than the address. */
  readonly username?: string
}

/**
 * Finds the mail servers of an address's domain (Thunderbird autoconfig, RFC 6186 SRV records).
 * @returns null where the domain says nothing
 */
export type Autoconfig = (
  email: string,
  signal: AbortSignal,
) => Promise<{ readonly imap?: DetectedServer; readonly smtp?: DetectedServer } | null>
