import type { Readable } from 'node:stream'
import { Type, type Static, type TObject, type TProperties, type TSchema } from 'typebox'
import type { ApplicationId } from '../contract/ids.ts'
import type { ErrorKey } from '../contract/errors.ts'
import type { GrantRecord } from '../core/ports/records.ts'
import type { Caller, RequestContext, Services } from '../core/ports/services.ts'
import type { HttpDeps } from './deps.ts'
import type { StreamedBody } from './plugins/stream-bodies.ts'
import type { MessageBody } from './query/message-body.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** Who may call. */
export type Access =
  /** anybody */
  | { readonly kind: 'public' }
  /** the holder of an API key */
  | { readonly kind: 'application' }
  /** that, or the holder of an access token: `GrantService.locate` gives him his own grant and no other */
  | { readonly kind: 'own-grant' }
  /** the same, for what a grant named in the path can do */
  | { readonly kind: 'grant'; readonly capability: 'mail' }

/** Which limit on requests holds (contract/auth.md 1.3). */
export type RouteLimit =
  /** per application and tag, once the caller is known; of routes for applications where nothing else is said */
  | 'admin'
  /** per grant, once it is found; of data routes */
  | 'data'
  /** per address; of public routes */
  | 'oauth'
  /** per address, then per application */
  | 'detect'
  | 'none'

/** A request as a handler sees it: read and checked. */
export interface Call<P extends TProperties, Q extends TProperties, B extends TSchema> {
  readonly params: Static<TObject<P>>
  readonly query: Static<TObject<Q>>
  readonly body: Static<B>
  /** of a route that `streams`; undefined where there was no body */
  readonly streamed: StreamedBody | undefined
  /** of a route with a `messageBody`; empty for all others */
  readonly message: MessageBody
  /** The header of that name; undefined where there is none, also for an empty one. */
  readonly idempotencyKey: string | undefined
  readonly context: RequestContext
  readonly services: Services
  readonly server: Pick<HttpDeps, 'readiness' | 'version' | 'importReadMs'>
  readonly client: { readonly ip: string; readonly userAgent: string | null }
  /** The Authorization header, for routes that judge it themselves. */
  readonly authorization: string | null
  /** Tells whose request it turned out to be where no key did: its origins may read the answer (CORS). */
  readonly concerns: (applicationId: ApplicationId) => void
}

/** What a handler answers: the body without its `request_id`. */
export type Answer = { readonly [field: string]: unknown }

/** An answer that is no JSON: bytes as they come (a download, an image), or an empty one with headers (a redirect). */
export class ByteAnswer {
  readonly status: number
  readonly headers: { readonly [name: string]: string }
  readonly body: Readable | Uint8Array

  constructor(
    body: Readable | Uint8Array,
    headers: { readonly [name: string]: string },
    status: number = 200,
  ) {
    this.body = body
    this.headers = headers
    this.status = status
  }
}

/** The `response` of a route that answers bytes and no JSON. */
export const Bytes = Type.Unsafe<Uint8Array>({ type: 'string', format: 'binary' })

/** JSON with another success status than the route's own (a scheduled send: 202). */
export class AnswerWithStatus {
  readonly status: 202
  readonly answer: Answer

  constructor(status: 202, answer: Answer) {
    this.status = status
    this.answer = answer
  }
}

/** JSON all of whose texts are in bytes (kit/text-form.ts): written with a byte for each character. */
export class AnswerInBytes {
  readonly answer: Answer

  constructor(answer: Answer) {
    this.answer = answer
  }
}
export type AnyAnswer = Answer | ByteAnswer | AnswerWithStatus | AnswerInBytes

interface Described {
  readonly method: Method
  readonly url: string
  /** Unique; the name in the OpenAPI document. */
  readonly operationId: string
  readonly summary: string
  readonly tag: string
  /** True for aliases that only older clients use: served, left out of the OpenAPI document. */
  readonly hidden?: boolean
  /** A token route: reads forms as well as JSON, small ones; errors have the OAuth body; no answer is cached. */
  readonly oauth?: boolean
  readonly status?: 200 | 201 | 202
  /** A route whose handler may also answer 202. */
  readonly alsoAccepts?: boolean
  /** How long its handler may take; the common 80 s when left out. */
  readonly timeoutMs?: number
  /** Content types of a body that is handed on as it comes in, instead of `body`. */
  readonly streams?: readonly string[]
  /** A body of JSON, or a form whose part `message` is that JSON; the handler reads it from `message`. */
  readonly messageBody?: TSchema
  /** What a body or query that does not fit is answered with; `api.invalid_request_error` when left out. */
  readonly invalidInput?: ErrorKey
  /** Left out: what goes with the access, so that a new route can't forget it. */
  readonly limit?: RouteLimit
  /** Body of the success answer. */
  readonly response: TSchema
}

interface Inputs<P extends TProperties, Q extends TProperties, B extends TSchema> {
  readonly params?: P
  readonly query?: Q
  readonly body?: B
}

/** A route, ready to be served, documented and walked by tests. */
export interface Route extends Described {
  readonly access: Access
  readonly limit: RouteLimit
  readonly params: TObject
  readonly query: TObject
  readonly body: TSchema | null
  readonly handle: (call: ErasedCall, caller: Caller | null, grant: GrantRecord | null) => Promise<AnyAnswer>
}

type ErasedCall = Call<Record<string, never>, Record<string, never>, TSchema>

type Definition<P extends TProperties, Q extends TProperties, B extends TSchema, H> = Described &
  Inputs<P, Q, B> & { readonly handle: H }

const LIMIT_OF_ACCESS: { readonly [kind in Access['kind']]: RouteLimit } = {
  public: 'oauth',
  application: 'admin',
  'own-grant': 'admin',
  grant: 'data',
}

/** Makes a route that needs no key. Such routes are listed in the route table test. */
export function publicRoute<P extends TProperties, Q extends TProperties, B extends TSchema>(
  definition: Definition<P, Q, B, (call: Call<P, Q, B>) => Promise<AnyAnswer>>,
): Route {
  return erase(definition, { kind: 'public' }, (call) => definition.handle(call))
}

/** Makes a route for the holder of an API key. */
export function applicationRoute<P extends TProperties, Q extends TProperties, B extends TSchema>(
  definition: Definition<P, Q, B, (call: Call<P, Q, B>, caller: Caller) => Promise<AnyAnswer>>,
): Route {
  return erase(definition, { kind: 'application' }, (call, caller) =>
    definition.handle(call, present(caller)),
  )
}

/** Makes a route for a grant itself: for the holder of an API key, or of an access token of that grant. */
export function ownGrantRoute<P extends TProperties, Q extends TProperties, B extends TSchema>(
  definition: Definition<P, Q, B, (call: Call<P, Q, B>, caller: Caller) => Promise<AnyAnswer>>,
): Route {
  return erase(definition, { kind: 'own-grant' }, (call, caller) => definition.handle(call, present(caller)))
}

/** Makes a data route below `/v3/grants/:grant_id/`: the grant is found, and not blocked. */
export function grantRoute<P extends TProperties, Q extends TProperties, B extends TSchema>(
  capability: 'mail',
  definition: Definition<P, Q, B, (call: Call<P, Q, B>, grant: GrantRecord) => Promise<AnyAnswer>>,
): Route {
  return erase(definition, { kind: 'grant', capability }, (call, _caller, grant) =>
    definition.handle(call, present(grant)),
  )
}

/** Names of `:name` and `*` in a URL pattern. */
export function paramNames(url: string): readonly string[] {
  return [...url.matchAll(/:([a-z_]+)|\*/g)].map((match) => match[1] ?? '*')
}

function erase<P extends TProperties, Q extends TProperties, B extends TSchema>(
  definition: Described & Inputs<P, Q, B>,
  access: Access,
  handle: (call: Call<P, Q, B>, caller: Caller | null, grant: GrantRecord | null) => Promise<AnyAnswer>,
): Route {
  const { params, query, body, ...described } = definition
  const names = paramNames(definition.url)
  return {
    ...described,
    access,
    limit: definition.limit ?? LIMIT_OF_ACCESS[access.kind],
    params: Type.Object(params ?? Object.fromEntries(names.map((name) => [name, Type.String()]))),
    query: Type.Object(query ?? {}),
    body: body ?? null,
    // The boundary of the schemas: what reaches a handler was checked against them by the server.
    handle: (call, caller, grant) => handle(call as unknown as Call<P, Q, B>, caller, grant),
  }
}

function present<T>(value: T | null): T {
  if (value === null) throw new Error('route reached without what its access demands')
  return value
}
