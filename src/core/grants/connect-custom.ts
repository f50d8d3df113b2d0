import type { ConnectCustomBody } from '../../contract/grant.ts'
import type { GrantRecord } from '../ports/records.ts'
import type { Caller } from '../ports/services.ts'
import type { AccessTokens } from './access-tokens.ts'
import { createAuthenticate } from './authenticate.ts'
import { type ConnectInput, readConnectInput } from './connect-input.ts'
import type { RefreshDeps } from './refresh-flight.ts'

/**
 * `POST /v3/connect/custom`: makes a grant of credentials the caller already holds, or renews the one of the
 * same mailbox. The provider is really asked. Safe to repeat with the same body after any failure or crash:
 * the work is finished, the refresh token is not spent again.
 *
 * @throws AppError of contract/auth.md 2.5
 */
export function createConnectCustom(deps: RefreshDeps & { readonly accessTokens: AccessTokens }) {
  const authenticate = createAuthenticate(deps)

  return async function connectCustom(
    caller: Caller,
    body: ConnectCustomBody,
    client: { readonly ip: string; readonly userAgent: string | null },
  ): Promise<GrantRecord> {
    const input = await readConnectInput(deps, caller, body.provider, body.settings, body.credential_id)
    const scope = scopeOf(input, body.scope)
    const { grant, by } = await authenticate({
      caller,
      input,
      scope,
      state: body.state ?? null,
      ip: client.ip,
      userAgent: client.userAgent,
    })
    deps.log.info({ grantId: grant.id, provider: grant.provider, by }, 'grant.connected')
    return grant
  }
}

/** What was asked for, else the connector's; none where the provider's connector keeps no scope. */
export function scopeOf(
  { module, connector }: Pick<ConnectInput, 'module' | 'connector'>,
  asked: readonly string[] | undefined,
): readonly string[] {
  if (!module.connector.takesScope) return []
  const scope = asked ?? connector.scope
  const { normalizeScope } = module.connector
  return normalizeScope ? scope.map((one) => normalizeScope(one)) : scope
}
