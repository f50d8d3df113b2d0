import { Type, type Static } from 'typebox'
import { PROVIDER_NAMES, type ProviderName } from '../../contract/providers.ts'
import type { JsonObject } from '../../kit/json.ts'
import { checkShape } from '../../kit/shape.ts'

const Nullable = Type.Union([Type.String(), Type.Null()])
const Panel = Type.Union([Type.Literal('providers'), Type.Literal('detect')])

/** The parameters of `/v3/connect/auth`, checked; what a session keeps of them. */
const HostedRequest = Type.Object({
  responseType: Type.Union([Type.Literal('code'), Type.Literal('adminconsent')]),
  /** byte for byte as it was sent */
  redirectUri: Type.String(),
  /** of the application, returned unmodified */
  state: Nullable,
  /** null: any with a connector */
  providers: Type.Union([
    Type.Array(Type.Union(PROVIDER_NAMES.map((name) => Type.Literal(name)))),
    Type.Null(),
  ]),
  panels: Type.Array(Panel),
  /** null: the connector's */
  scope: Type.Union([Type.Array(Type.String()), Type.Null()]),
  offline: Type.Boolean(),
  /** `''` where there is none */
  loginHint: Type.String(),
  includeGrantScopes: Type.Boolean(),
  excludeGrantedScopes: Type.Boolean(),
  smtpRequired: Type.Boolean(),
  challenge: Nullable,
  challengeMethod: Type.Union([Type.Literal('plain'), Type.Literal('S256'), Type.Null()]),
  credentialId: Nullable,
})

export type HostedRequest = Omit<Readonly<Static<typeof HostedRequest>>, 'providers' | 'panels' | 'scope'> & {
  readonly providers: readonly ProviderName[] | null
  readonly scope: readonly string[] | null
  readonly panels: readonly Static<typeof Panel>[]
}

/** Reads what a session keeps. @throws Error where the row is not one of ours */
export function readHostedRequest(stored: JsonObject): HostedRequest {
  const shape = checkShape(HostedRequest, stored, 'request')
  if (shape.ok) return shape.value
  throw new Error(`a stored session can't be read: ${shape.problem}`)
}
