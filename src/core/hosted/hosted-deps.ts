import type { AccessTokens } from '../grants/access-tokens.ts'
import type { RefreshDeps } from '../grants/refresh-flight.ts'
import type { TokenService } from '../ports/oauth-services.ts'
import type { DetectService } from '../ports/services.ts'

/** What hosted authentication is made of. */
export interface HostedDeps extends RefreshDeps {
  readonly accessTokens: AccessTokens
  readonly tokens: Pick<TokenService, 'issueCode'>
  readonly detect: DetectService
  /** The address browsers use, without a slash at its end. Known only once the server listens. */
  readonly publicUrl: () => string
}

/** Actor of audit rows: the user himself, in his browser. */
export const HOSTED_ACTOR = 'hosted'

/** Where providers send the browser back to. It must be registered there. */
export function callbackUrl(deps: Pick<HostedDeps, 'publicUrl'>): string {
  return `${deps.publicUrl()}/v3/connect/callback`
}
