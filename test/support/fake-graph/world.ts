import { grantId } from '../../../src/contract/ids.ts'
import type { GrantSession } from '../../../src/core/ports/grant-session.ts'
import type { GrantSecret, Identity, ProviderClient, Tokens } from '../../../src/core/ports/identity.ts'
import type { ProviderModule } from '../../../src/core/ports/provider.ts'
import { systemClock } from '../../../src/kit/clock.ts'
import { silentLogger } from '../../../src/kit/logger.ts'
import { createEgressGuard } from '../../../src/kit/outbound/egress-guard.ts'
import { createHttpClient } from '../../../src/kit/outbound/http-client.ts'
import { Secret } from '../../../src/kit/secret.ts'
import { createMicrosoft } from '../../../src/providers/microsoft/create-microsoft.ts'
import { type FakeGraph, startFakeGraph } from './start-fake-graph.ts'
import { FAKE_CLIENT } from './token-endpoint.ts'

export interface MicrosoftWorld {
  readonly graph: FakeGraph
  readonly microsoft: ProviderModule & { readonly identity: Required<Pick<Identity, 'exchange' | 'aliases'>> }
  /** A session of a user; `appMailbox` makes it one of app permissions. */
  session(options?: {
    readonly address?: string
    readonly appMailbox?: string
    readonly signal?: AbortSignal
  }): MicrosoftSession
  stop(): Promise<void>
}

export interface MicrosoftSession extends GrantSession {
  /** How often another token was asked for. */
  replaced(): number
  /** How many requests the provider says it made. */
  spent(): number
}

export function clientWith(
  more: Partial<ProviderClient> & { readonly secret?: string } = {},
): ProviderClient {
  const { secret = FAKE_CLIENT.clientSecret, ...rest } = more
  return {
    credentialType: 'connector',
    clientId: FAKE_CLIENT.clientId,
    clientSecret: new Secret(secret),
    data: {},
    ...rest,
  }
}

export async function startMicrosoftWorld(): Promise<MicrosoftWorld> {
  const graph = await startFakeGraph()
  const http = createHttpClient()
  // Upload addresses are on loopback here; the guard lets them pass only because it is told to.
  const uploads = createHttpClient({ guard: createEgressGuard({ allowedNetworks: ['127.0.0.0/8'] }) })
  const microsoft = createMicrosoft({ endpoints: graph.endpoints, http, uploads, clock: systemClock })
  const { exchange, aliases } = microsoft.identity
  if (!exchange || !aliases) throw new Error('microsoft exchanges and has aliases')
  return {
    graph,
    microsoft: { ...microsoft, identity: { ...microsoft.identity, exchange, aliases } },
    session({ address = 'ada@contoso.example', appMailbox, signal = new AbortController().signal } = {}) {
      const secret: GrantSecret =
        appMailbox === undefined
          ? { kind: 'refresh-token', refreshToken: new Secret(graph.tokens.mint(address)) }
          : { kind: 'impersonation', emailAddress: appMailbox, scopes: [] }
      let tokens: Promise<Tokens> | undefined
      let replacements = 0
      let spent = 0
      const renew = () => {
        tokens = exchange({ client: clientWith({ tenant: 'contoso.example' }), secret, scope: [], signal })
        return tokens.then(({ accessToken }) => accessToken)
      }
      return {
        grantId: grantId('grant-1'),
        email: appMailbox ?? address,
        scope: [],
        settings: appMailbox === undefined ? {} : { email_address: appMailbox },
        signal,
        log: silentLogger,
        spend({ requests }) {
          spent += requests
        },
        spent: () => spent,
        accessToken: () => tokens?.then(({ accessToken }) => accessToken) ?? renew(),
        replaceRejected() {
          replacements += 1
          return renew()
        },
        secret: () => Promise.resolve(secret),
        replaced: () => replacements,
      }
    },
    async stop() {
      await http.close()
      await uploads.close()
      await graph.stop()
    },
  }
}
