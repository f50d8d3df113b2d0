import { type Static, type TProperties, type TSchema, Type } from 'typebox'
import { cursorList, Deleted, single } from '../../contract/envelope.ts'
import {
  RenderedTemplate,
  RenderedText,
  Template,
  TemplateCreateBody,
  TemplateRenderBody,
  TemplateUpdateBody,
  TextRenderBody,
} from '../../contract/template.ts'
import type { TemplateOwner } from '../../core/ports/mail-stores-texts.ts'
import type { Services } from '../../core/ports/services.ts'
import { cursorPage } from '../present/page.ts'
import { Limit, Select } from '../query/page.ts'
import { PageToken, readTextPage } from '../query/text-page.ts'
import { type Answer, applicationRoute, grantRoute, type Route } from '../route.ts'

/** What a handler gets of a call, whoever owns the templates. */
interface TemplateCall {
  readonly services: Services
  readonly id: string
  readonly query: { readonly limit?: number; readonly page_token?: string }
  readonly owner: TemplateOwner
}

interface TemplateRoute<B extends TSchema> {
  readonly method: Route['method']
  readonly path: '' | '/render' | '/:template_id' | '/:template_id/render'
  /** `render` becomes renderTemplate and renderGrantTemplate */
  readonly operation: readonly [verb: string, noun: string]
  readonly summary: string
  readonly query?: TProperties
  readonly body?: B
  readonly response: TSchema
  readonly handle: (call: TemplateCall & { readonly body: Static<B> }) => Promise<Answer>
}

/** Templates of the application and of grants (contract/email.md 10). */
export function templateRoutes(): readonly Route[] {
  return [
    ...both({
      method: 'GET',
      path: '',
      operation: ['list', 'Templates'],
      summary: 'List templates, newest first',
      query: { limit: Limit, page_token: PageToken, select: Select },
      response: cursorList(Template),
      handle: async ({ services, owner, query }) =>
        cursorPage(await services.templates.list(owner, readTextPage(query))),
    }),
    ...both({
      method: 'POST',
      path: '',
      operation: ['create', 'Template'],
      summary: 'Create a template; it is parsed, so that it can be rendered',
      body: TemplateCreateBody,
      response: single(Template),
      handle: async ({ services, owner, body }) => ({ data: await services.templates.create(owner, body) }),
    }),
    ...both({
      method: 'POST',
      path: '/render',
      operation: ['render', 'TemplateText'],
      summary: 'Render HTML that is stored nowhere',
      body: TextRenderBody,
      response: single(RenderedText),
      handle: async ({ services, body }) => ({ data: await services.templates.renderText(body) }),
    }),
    ...both({
      method: 'GET',
      path: '/:template_id',
      operation: ['get', 'Template'],
      summary: 'Get a template',
      query: { select: Select },
      response: single(Template),
      handle: async ({ services, owner, id }) => ({ data: await services.templates.find(owner, id) }),
    }),
    ...both({
      method: 'PUT',
      path: '/:template_id',
      operation: ['update', 'Template'],
      summary: 'Change a template',
      body: TemplateUpdateBody,
      response: single(Template),
      handle: async ({ services, owner, id, body }) => ({
        data: await services.templates.update(owner, id, body),
      }),
    }),
    ...both({
      method: 'DELETE',
      path: '/:template_id',
      operation: ['delete', 'Template'],
      summary: 'Delete a template',
      response: Deleted,
      handle: async ({ services, owner, id }) => {
        await services.templates.delete(owner, id)
        return {}
      },
    }),
    ...both({
      method: 'POST',
      path: '/:template_id/render',
      operation: ['render', 'Template'],
      summary: 'Render a template with variables',
      body: TemplateRenderBody,
      response: single(RenderedTemplate),
      handle: async ({ services, owner, id, body }) => ({
        data: await services.templates.render(owner, id, body),
      }),
    }),
  ]
}

/** The same route for templates of the application, and for those of a grant. */
function both<B extends TSchema>(route: TemplateRoute<B>): readonly Route[] {
  const { method, path, operation, summary, response, handle } = route
  const [verb, noun] = operation
  const hasId = path.startsWith('/:template_id')
  const id = hasId ? { template_id: Type.String() } : {}
  const inputs = { query: route.query ?? {}, ...(route.body ? { body: route.body } : {}) }
  const shared = { method, tag: 'Templates', summary, response, ...inputs }
  return [
    applicationRoute({
      ...shared,
      url: `/v3/templates${path}`,
      operationId: `${verb}${noun}`,
      params: id,
      handle: async ({ services, params, query, body }, { applicationId }) =>
        handle({ services, query, body, id: idOf(params), owner: { applicationId, grantId: null } }),
    }),
    grantRoute('mail', {
      ...shared,
      url: `/v3/grants/:grant_id/templates${path}`,
      operationId: `${verb}Grant${noun}`,
      params: { grant_id: Type.String(), ...id },
      handle: async ({ services, params, query, body }, grant) =>
        handle({
          services,
          query,
          body,
          id: idOf(params),
          owner: { applicationId: grant.applicationId, grantId: grant.id },
        }),
    }),
  ]
}

function idOf(params: { readonly [name: string]: unknown }): string {
  const id = params['template_id']
  return typeof id === 'string' ? id : ''
}
