import assert from 'node:assert/strict'
import fc from 'fast-check'
import { conversationOf } from '../../src/formats/html/conversation.ts'
import { sanitizeSignature } from '../../src/formats/html/sanitize-signature.ts'
import { parseMessage } from '../../src/formats/mime/parse-message.ts'
import { selectParts } from '../../src/formats/mime/select-parts.ts'
import { renderTemplate } from '../../src/core/mail/templates/render-template.ts'
import { AppError } from '../../src/kit/app-error.ts'
import type { Route } from '../../src/http/route.ts'
import { allRoutes } from '../../src/http/routes/all.ts'
import { messageFromSource } from '../../src/standards/imap-mail/message-from-source.ts'
import { type GrantwayApp, startGrantway } from '../support/grantway-app.ts'
import { grantRecord } from '../support/http-app.ts'
import { fuzzMail } from './fuzz-mail.ts'
import { soon } from './soon.ts'
import { htmlText, jsonBody, mimeSource, multipartForm, queryString, templateText } from './arbitraries.ts'

/** Something that strangers feed. `once` throws when it is not taken well. */
export interface FuzzArea {
  readonly name: string
  readonly property: () => fc.IAsyncPropertyWithHooks<unknown[]> | fc.IAsyncProperty<unknown[]>
}

const CLEAN = {
  links: true,
  images: 'markdown',
  tables: true,
  markdown: true,
  removesConclusion: true,
} as const

/** What needs no server. */
export const PURE_AREAS: readonly FuzzArea[] = [
  {
    name: 'MIME',
    property: () =>
      fc.asyncProperty(mimeSource, async (source) => {
        await soon(() => {
          const at = { path: 'INBOX', uidValidity: 1, uid: 1 }
          const message = messageFromSource(source, {
            grantId: 'g',
            date: 1,
            folders: ['INBOX'],
            unread: true,
            starred: false,
            place: at,
          })
          const parsed = parseMessage(source)
          for (const { part } of selectParts(parsed.structure).attachments) parsed.contentOf(part)
          assert.equal(typeof message.body, 'string')
        })
      }),
  },
  {
    name: 'HTML',
    property: () =>
      fc.asyncProperty(htmlText, async (html) => {
        const markdown = await soon(() => conversationOf(html, CLEAN))
        assert.ok(!/(?<!\\)<script/i.test(markdown.replace(/(`+)[\s\S]*?[^`]\1(?!`)/g, '')))
        const kept = await soon(() => sanitizeSignature(html))
        assert.ok(!/<script|<style|<svg|<math|<iframe/i.test(kept))
        await soon(() => conversationOf(html, { ...CLEAN, markdown: false }))
      }),
  },
  {
    name: 'templates',
    property: () =>
      fc.asyncProperty(templateText, fc.constantFrom('mustache', 'handlebars'), async (text, engine) => {
        const variables = { a: [1, { b: 'x' }], b: { c: '<' }, c: '' }
        await soon(async () => {
          try {
            await renderTemplate({ text, engine, variables, strict: false, isHtml: true })
          } catch (error) {
            if (!(error instanceof AppError) || error.status !== 400) throw error
          }
        })
      }),
  },
]

/** A running server, and the areas that are fed to it over HTTP. */
export async function startHttpAreas(): Promise<{
  readonly areas: readonly FuzzArea[]
  stop(): Promise<void>
}> {
  const app = await startGrantway(
    { GRANTWAY_RATE_LIMIT_FACTOR: '0' },
    {
      overrides: {
        wrapProviders: (providers) =>
          new Map(
            [...providers].map(([name, module]) => [
              name,
              name === 'google' ? { ...module, mail: fuzzMail } : module,
            ]),
          ),
      },
    },
  )
  const { stores } = app.application.database
  const [application] = await stores.applications.list()
  if (!application) throw new Error('no application')
  const grant = grantRecord({ applicationId: application.id })
  await stores.grants.insert(grant)
  const pathOf = (url: string) => url.replace(':grant_id', grant.id).replace(/:[a-z_]+|\*/g, 'm1')
  const data = allRoutes().filter(
    ({ url }) => url.startsWith('/v3/grants/:grant_id/') || url.startsWith('/v3/templates'),
  )
  const lists = data.filter(({ method, url }) => method === 'GET' && !url.endsWith('/download'))
  const bodies = data.filter(({ method, streams }) => ['POST', 'PUT', 'PATCH'].includes(method) && !streams)
  const forms = data.filter(({ messageBody }) => messageBody !== undefined)
  return {
    areas: [
      {
        name: 'query strings',
        property: () =>
          fc.asyncProperty(fc.constantFrom(...lists.map(nameOf)), queryString, async (name, query) => {
            await ask(app, 'GET', `${pathOf(urlOf(name))}?${query}`)
          }),
      },
      {
        name: 'page tokens',
        property: () =>
          fc.asyncProperty(
            fc.constantFrom(...lists.filter(({ query }) => 'page_token' in query.properties).map(nameOf)),
            fc.oneof(
              fc.string({ unit: 'binary', maxLength: 200 }),
              fc.base64String({ maxLength: 200 }),
              fc.tuple(fc.base64String(), fc.base64String()).map(([body, mac]) => `c1.${body}.${mac}`),
            ),
            async (name, token) => {
              const status = await ask(app, 'GET', `${pathOf(urlOf(name))}?page_token=${encode(token)}`)
              assert.ok(token === '' || status === 400, `a forged token was answered with ${status}`)
            },
          ),
      },
      {
        name: 'JSON bodies',
        property: () =>
          fc.asyncProperty(fc.constantFrom(...bodies.map(nameOf)), jsonBody, async (name, body) => {
            await ask(app, methodOf(name), pathOf(urlOf(name)), { body, type: 'application/json' })
          }),
      },
      {
        name: 'multipart forms',
        property: () =>
          fc.asyncProperty(
            fc.constantFrom(...forms.map(nameOf)),
            multipartForm,
            async (name, { body, type }) => {
              await ask(app, methodOf(name), pathOf(urlOf(name)), { body, type })
            },
          ),
      },
    ],
    stop: () => app.stop(),
  }
}

/** Routes by name, so that a failure is short to read. */
function nameOf({ method, url }: Route): string {
  return `${method} ${url}`
}

function methodOf(name: string): string {
  return name.split(' ')[0] ?? ''
}

function urlOf(name: string): string {
  return name.split(' ')[1] ?? ''
}

function encode(text: string): string {
  return encodeURIComponent(Buffer.from(text).toString('utf8'))
}

/** @returns the status, which is never 500; every answer but a download is JSON with a request id */
async function ask(
  app: GrantwayApp,
  method: string,
  path: string,
  sent?: { readonly body: string | Uint8Array<ArrayBuffer>; readonly type: string },
): Promise<number> {
  return await soon(async () => {
    const response = await fetch(app.url + path, {
      method,
      headers: { authorization: `Bearer ${app.key}`, ...(sent ? { 'content-type': sent.type } : {}) },
      ...(sent ? { body: sent.body } : {}),
    })
    const text = await response.text()
    assert.ok(response.status < 500, `${method} ${path}: ${response.status} ${text}`)
    assert.equal(typeof JSON.parse(text).request_id, 'string', `${method} ${path}: ${text}`)
    return response.status
  })
}
