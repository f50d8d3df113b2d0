import type { TObject, TSchema } from 'typebox'
import { ErrorEnvelope } from '../contract/envelope.ts'
import { OAuthErrorBody } from '../contract/oauth.ts'
import { describeBrowserPaths } from './hosted/describe-pages.ts'
import { Bytes, type Route } from './route.ts'
import { allRoutes } from './routes/all.ts'

type Json = { [key: string]: unknown }

/**
 * Makes the OpenAPI 3.1 document of the API from the route table. Needs no server and no database.
 * Schemas with an `$id` become named components; everything else stays where it is used.
 */
export function openApiDocument(options: { readonly version: string; readonly serverUrl?: string }): Json {
  const components = new Map<string, Json>()
  const paths: Record<string, Json> = {}
  for (const route of allRoutes().filter((candidate) => candidate.hidden !== true)) {
    const path = (paths[openApiPath(route.url)] ??= {})
    path[route.method.toLowerCase()] = operation(route, components)
  }
  Object.assign(paths, describeBrowserPaths())
  return {
    openapi: '3.1.0',
    info: {
      title: 'Grantway',
      version: options.version,
      description: 'Self-hosted server that speaks the Nylas v3 API.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: options.serverUrl ?? '/' }],
    paths,
    components: {
      schemas: Object.fromEntries([...components].toSorted(([a], [b]) => (a < b ? -1 : 1))),
      securitySchemes: {
        apiKey: {
          type: 'http',
          scheme: 'bearer',
          description: 'API key, or on routes of one grant an access token of it',
        },
      },
    },
  }
}

function operation(route: Route, components: Map<string, Json>): Json {
  const parameters = [
    ...parametersOf(route.params, 'path', components),
    ...parametersOf(route.query, 'query', components),
  ]
  const body = route.body
  return {
    operationId: route.operationId,
    summary: route.summary,
    tags: [route.tag],
    security: route.access.kind === 'public' ? [] : [{ apiKey: [] }],
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(route.streams ? { requestBody: streamedBody(route.streams) } : {}),
    ...(route.messageBody ? { requestBody: messageBody(fold(route.messageBody, components)) } : {}),
    ...(body ? { requestBody: requestBody(route, fold(body, components)) } : {}),
    responses: {
      [route.status ?? 200]: {
        description: 'Success',
        content: answerContent(fold(route.response, components), route.response === Bytes),
      },
      default: {
        description: 'Error',
        content: jsonContent(fold(route.oauth === true ? OAuthErrorBody : ErrorEnvelope, components)),
      },
    },
  }
}

/** Token routes read forms too, and what they need may stand in the query or nowhere. */
function requestBody(route: Route, schema: Json): Json {
  if (route.oauth !== true) return { required: true, content: jsonContent(schema) }
  return { content: { ...jsonContent(schema), 'application/x-www-form-urlencoded': { schema } } }
}

/** JSON, or a form with that JSON as `message` and a part for each file (contract/email.md 4.3). */
function messageBody(schema: Json): Json {
  const form = { type: 'object', properties: { message: schema }, additionalProperties: { format: 'binary' } }
  return { required: true, content: { ...jsonContent(schema), 'multipart/form-data': { schema: form } } }
}

/** A row in one of the formats of docs/import.md, however many of them. */
function streamedBody(types: readonly string[]): Json {
  const content = types.map((type) => [type, { schema: { type: 'string' } }])
  return { required: true, content: Object.fromEntries(content) as Json }
}

function parametersOf(schema: TObject, place: 'path' | 'query', components: Map<string, Json>): Json[] {
  const required: readonly string[] = schema.required ?? []
  return Object.entries(schema.properties).map(([name, property]) => {
    const { description, ...rest } = fold(property, components)
    return {
      name: place === 'path' && name === '*' ? WILDCARD : name,
      in: place,
      required: required.includes(name),
      ...(description === undefined ? {} : { description }),
      schema: rest,
      ...(rest['type'] === 'array' ? { style: 'form', explode: false } : {}),
    }
  })
}

/** OpenAPI has no parameter that spans slashes; ids with slashes are percent-encoded in it. */
const WILDCARD = 'id'

function openApiPath(url: string): string {
  return url.replaceAll(/:([a-z_]+)/g, '{$1}').replace('*', `{${WILDCARD}}`)
}

function answerContent(schema: Json, isBytes: boolean): Json {
  return isBytes ? { 'application/octet-stream': { schema } } : jsonContent(schema)
}

function jsonContent(schema: Json): Json {
  return { 'application/json': { schema } }
}

/** Copies a schema; parts with an `$id` move to the components and leave a reference. */
function fold(schema: TSchema, components: Map<string, Json>): Json {
  const { $id, ...plain }: TSchema & { $id?: string } = schema
  const copy = copyJson(plain, components)
  if ($id === undefined) return copy
  components.set($id, copy)
  return { $ref: `#/components/schemas/${$id}` }
}

function copyJson(object: object, components: Map<string, Json>): Json {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, copyValue(value, components)]))
}

function copyValue(value: unknown, components: Map<string, Json>): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => copyValue(item, components))
  return typeof value === 'object' && value !== null ? fold(value, components) : value
}
