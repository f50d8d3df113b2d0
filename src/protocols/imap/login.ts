import type { EgressGuard } from '../../kit/outbound/egress-guard.ts'
import type { NoteSignIn } from '../../kit/outbound/sign-in.ts'
import type { Secret } from '../../kit/secret.ts'

/** Where to sign in and with what. */
export interface ImapLogin {
  readonly host: string
  readonly port: number
  /** `implicit`: TLS from the first byte; `starttls`: upgraded before anything is said */
  readonly tls: 'implicit' | 'starttls'
  readonly username: string
  /** LOGIN or AUTHENTICATE PLAIN with a password; XOAUTH2 or OAUTHBEARER with an access token */
  readonly auth: { readonly password: Secret } | { readonly accessToken: Secret }
}

/** How connections are made, the same for every account of a provider. */
export interface ImapConnecting {
  /** Given: hosts are user-supplied, only checked addresses are connected to and banners are not repeated. */
  readonly guard?: EgressGuard
  /** PEM of further trusted CAs; absent: Node's own list, with NODE_EXTRA_CA_CERTS. */
  readonly ca?: string
  /** Whether a `starttls` login may go on in clear text where the server offers no STARTTLS. */
  readonly allowPlaintext: boolean
  /** Told of every login. */
  readonly onSignIn?: NoteSignIn
}
