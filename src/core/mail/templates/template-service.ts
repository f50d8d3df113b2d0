import { appError } from '../../../contract/errors.ts'
import type { TemplateUpdateBody, WireTemplate } from '../../../contract/template.ts'
import { type Clock, unixSeconds } from '../../../kit/clock.ts'
import type { Ids } from '../../../kit/ids.ts'
import type { JsonObject } from '../../../kit/json.ts'
import type { TemplateRenderer } from '../../ports/mail-services.ts'
import type { TemplateOwner, TemplateRecord } from '../../ports/mail-stores-texts.ts'
import type { TemplateService } from '../../ports/mail-texts.ts'
import type { Database, Stores } from '../../ports/stores.ts'
import type { Vault } from '../../ports/vault.ts'
import { textPage } from '../text-list.ts'
import { parseTemplate, renderTemplate } from './render-template.ts'

/** Templates of applications and grants, kept by this server (contract/email.md 10). */
export function createTemplateService(deps: {
  readonly database: Database
  readonly vault: Vault
  readonly clock: Clock
  readonly ids: Ids
}): TemplateService {
  const { database, clock, ids } = deps
  const { templates } = database.stores
  return {
    async list(owner, request) {
      const scope = { owner: owner.grantId ?? owner.applicationId, route: 'templates' }
      const page = await textPage<TemplateRecord>(deps.vault, scope, request, (next) =>
        templates.list(owner, next),
      )
      return { ...page, items: page.items.map(present) }
    },
    async find(owner, id) {
      return present(await findTemplate(database.stores, owner, id))
    },
    async create(owner, { name, subject, body, engine = 'mustache' }) {
      const now = unixSeconds(clock)
      const record: TemplateRecord = {
        ...owner,
        id: ids.uuid(),
        engine,
        name,
        subject,
        body,
        createdAt: now,
        updatedAt: now,
      }
      await check(record)
      await database.transaction(async (stores) => {
        await holdOwner(stores, owner)
        await stores.templates.insert(record)
      })
      return present(record)
    },
    async update(owner, id, body) {
      const before = await findTemplate(database.stores, owner, id)
      // Parsing is no work for a transaction; whoever changes the engine at the same time is told when it is rendered.
      await check(changed(before, body))
      return await database.transaction(async (stores) => {
        await holdOwner(stores, owner)
        const current = await findTemplate(stores, owner, id)
        const record = { ...changed(current, body), updatedAt: unixSeconds(clock) }
        await stores.templates.update(owner, id, record)
        return present(record)
      })
    },
    async delete(owner, id) {
      if (!(await templates.delete(owner, id))) throw notFound()
    },
    async render(owner, id, { variables = {}, strict = true }) {
      return await renderBoth(await findTemplate(database.stores, owner, id), variables, strict)
    },
    async renderText({ body, engine = 'mustache', variables = {}, strict = true }) {
      return { body: await renderTemplate({ text: body, engine, variables, strict, isHtml: true }) }
    },
  }
}

/** Renders templates into messages: a grant's own, or its application's. */
export function createTemplateRenderer({ database }: { readonly database: Database }): TemplateRenderer {
  const { templates } = database.stores
  return {
    async render(grant, { id, variables = {}, strict = true }) {
      const { applicationId } = grant
      const record =
        (await templates.find({ applicationId, grantId: grant.id }, id)) ??
        (await templates.find({ applicationId, grantId: null }, id))
      if (!record) throw appError('api.invalid_request_error', 'template.id: there is no such template')
      return await renderBoth(record, variables, strict)
    },
  }
}

async function renderBoth({ engine, subject, body }: TemplateRecord, variables: JsonObject, strict: boolean) {
  const shared = { engine, variables, strict }
  return {
    subject: await renderTemplate({ ...shared, text: subject, isHtml: false }),
    body: await renderTemplate({ ...shared, text: body, isHtml: true }),
  }
}

/** Field by field: a body may have more than its schema says. */
function changed(record: TemplateRecord, body: TemplateUpdateBody): TemplateRecord {
  return {
    ...record,
    engine: body.engine ?? record.engine,
    name: body.name ?? record.name,
    subject: body.subject ?? record.subject,
    body: body.body ?? record.body,
  }
}

async function check({ engine, subject, body }: TemplateRecord): Promise<void> {
  await parseTemplate(engine, subject)
  await parseTemplate(engine, body)
}

async function findTemplate(stores: Stores, owner: TemplateOwner, id: string): Promise<TemplateRecord> {
  const record = await stores.templates.find(owner, id)
  if (!record) throw notFound()
  return record
}

async function holdOwner(stores: Stores, { grantId }: TemplateOwner): Promise<void> {
  if (grantId !== null && !(await stores.grants.hold(grantId))) throw appError('grant.not_found')
}

function present(record: TemplateRecord): WireTemplate {
  return {
    id: record.id,
    grant_id: record.grantId,
    app_id: record.grantId === null ? record.applicationId : null,
    engine: record.engine,
    name: record.name,
    subject: record.subject,
    body: record.body,
    object: 'template',
    created_at: record.createdAt,
    updated_at: record.updatedAt,
  }
}

function notFound() {
  return appError('api.not_found_error', 'There is no such template.')
}
