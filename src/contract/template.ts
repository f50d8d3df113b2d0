import { Type, type Static } from 'typebox'
import { OpenObject, UnixSeconds } from './envelope.ts'

/** Template languages of the API; this server renders the first two (contract/email.md 10). */
const EngineName = Type.Union([
  Type.Literal('mustache'),
  Type.Literal('handlebars'),
  Type.Literal('nunjucks'),
  Type.Literal('twig'),
])
export type TemplateEngine = Static<typeof EngineName>

export const Template = Type.Object(
  {
    id: Type.String(),
    grant_id: Type.Union([Type.String(), Type.Null()]),
    app_id: Type.Union([Type.String(), Type.Null()]),
    engine: Type.String(),
    name: Type.String(),
    subject: Type.String(),
    body: Type.String(),
    object: Type.Literal('template'),
    created_at: UnixSeconds,
    updated_at: UnixSeconds,
  },
  { $id: 'Template' },
)
export type WireTemplate = Static<typeof Template>

const Name = Type.String({ minLength: 1, maxLength: 255 })
const Subject = Type.String({ maxLength: 10_000 })

/** Body of `POST /templates`. */
export const TemplateCreateBody = Type.Object({
  name: Name,
  subject: Subject,
  body: Type.String(),
  engine: Type.Optional(EngineName),
})
export type TemplateCreateBody = Static<typeof TemplateCreateBody>

/** Body of `PUT /templates/{id}`: only given fields change. */
export const TemplateUpdateBody = Type.Object({
  name: Type.Optional(Name),
  subject: Type.Optional(Subject),
  body: Type.Optional(Type.String()),
  engine: Type.Optional(EngineName),
})
export type TemplateUpdateBody = Static<typeof TemplateUpdateBody>

/** Body of `POST /templates/{id}/render`. */
export const TemplateRenderBody = Type.Object({
  variables: Type.Optional(OpenObject),
  strict: Type.Optional(Type.Boolean()),
})
export type TemplateRenderBody = Static<typeof TemplateRenderBody>

/** Body of `POST /templates/render`. */
export const TextRenderBody = Type.Object({
  body: Type.String(),
  engine: Type.Optional(EngineName),
  variables: Type.Optional(OpenObject),
  strict: Type.Optional(Type.Boolean()),
})
export type TextRenderBody = Static<typeof TextRenderBody>

export const RenderedTemplate = Type.Object({ subject: Type.String(), body: Type.String() })
export type RenderedTemplate = Static<typeof RenderedTemplate>
export const RenderedText = Type.Object({ body: Type.String() })
