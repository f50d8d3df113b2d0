import { Type, type Static } from 'typebox'
import { OpenObject, UnixSeconds } from './envelope.ts'

export const PLATFORMS = ['web', 'desktop', 'js', 'ios', 'android'] as const
export type Platform = (typeof PLATFORMS)[number]

export const CallbackUri = Type.Object(
  {
    id: Type.String(),
    url: Type.String(),
    platform: Type.String(),
    settings: Type.Optional(OpenObject),
  },
  { $id: 'CallbackUri' },
)
export type CallbackUri = Static<typeof CallbackUri>

export const CallbackUriBody = Type.Object({
  url: Type.Optional(Type.String({ maxLength: 2048 })),
  platform: Type.Optional(Type.String({ maxLength: 32 })),
  settings: Type.Optional(OpenObject),
})
export type CallbackUriBody = Static<typeof CallbackUriBody>

export const Branding = Type.Object({
  name: Type.String(),
  icon_url: Type.Optional(Type.String()),
  website_url: Type.Optional(Type.String()),
  description: Type.Optional(Type.String()),
})

export const HostedAuthentication = Type.Object({
  title: Type.Optional(Type.String()),
  subtitle: Type.Optional(Type.String()),
  alignment: Type.Optional(Type.String()),
  color_primary: Type.Optional(Type.String()),
  color_secondary: Type.Optional(Type.String()),
  background_color: Type.Optional(Type.String()),
  background_image_url: Type.Optional(Type.String()),
  spacing: Type.Optional(Type.Integer()),
  terms_of_service_url: Type.Optional(Type.String()),
  privacy_policy_url: Type.Optional(Type.String()),
})

export const IdpSettings = Type.Object({
  origins: Type.Optional(Type.String()),
  issuers: Type.Optional(Type.String()),
})

/** Write-only settings of an application (contract/auth.md 7.1). */
export const AdditionalSettings = Type.Object({
  login_url: Type.Optional(Type.String()),
  logout_url: Type.Optional(Type.String()),
  refresh_token_expiration_absolute: Type.Optional(Type.Integer({ minimum: 0 })),
  refresh_token_expiration_idle: Type.Optional(Type.Integer({ minimum: 0 })),
  rotate_refresh_token: Type.Optional(Type.Boolean()),
  allow_query_param_in_redirect_uri: Type.Optional(Type.Boolean()),
})

export const Application = Type.Object(
  {
    application_id: Type.String(),
    organization_id: Type.String(),
    region: Type.Union([Type.Literal('us'), Type.Literal('eu')]),
    environment: Type.Union([Type.Literal('production'), Type.Literal('staging'), Type.Literal('sandbox')]),
    branding: Branding,
    hosted_authentication: HostedAuthentication,
    idp_settings: IdpSettings,
    callback_uris: Type.Array(CallbackUri),
    domain: Type.Optional(Type.String()),
    blocked: Type.Optional(Type.Boolean()),
    created_at: UnixSeconds,
    updated_at: UnixSeconds,
  },
  { $id: 'Application' },
)
export type Application = Static<typeof Application>

export const ApplicationUpdateBody = Type.Object({
  branding: Type.Optional(Type.Partial(Branding)),
  hosted_authentication: Type.Optional(HostedAuthentication),
  idp_settings: Type.Optional(IdpSettings),
  callback_uris: Type.Optional(
    Type.Array(
      Type.Object({
        id: Type.Optional(Type.String()),
        url: Type.String({ maxLength: 2048 }),
        platform: Type.Optional(Type.String({ maxLength: 32 })),
        settings: Type.Optional(OpenObject),
      }),
      { maxItems: 100 },
    ),
  ),
  domain: Type.Optional(Type.String({ maxLength: 253 })),
  additional_settings: Type.Optional(AdditionalSettings),
})
export type ApplicationUpdateBody = Static<typeof ApplicationUpdateBody>
