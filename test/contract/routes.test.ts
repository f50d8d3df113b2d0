import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Bytes, paramNames } from '../../src/http/route.ts'
import { allRoutes } from '../../src/http/routes/all.ts'

/** The only routes that need no key. A new one is added here on purpose or not at all. */
const PUBLIC = [
  'GET /.well-known/jwks.json',
  'GET /healthz',
  'GET /readyz',
  'GET /v3/connect/tokeninfo',
  'POST /v3/connect/revoke',
  'POST /v3/connect/token',
  'POST /v3/connect/tokeninfo',
  'PUT /v3/attachment-uploads/:attachment_id/:token',
]

const routes = allRoutes()
const nameOf = (route: { method: string; url: string }) => `${route.method} ${route.url}`

test('every route needs a key unless it is on the public list', () => {
  const open = routes.filter((route) => route.access.kind === 'public').map(nameOf)
  assert.deepEqual(open.toSorted(), PUBLIC)
  for (const route of routes) {
    const isData = /^\/v3\/grants\/:grant_id\/./.test(route.url)
    assert.equal(route.access.kind === 'grant', isData, nameOf(route))
  }
})

test('every route has an operation id of its own and is there once', () => {
  assert.equal(new Set(routes.map((route) => route.operationId)).size, routes.length)
  assert.equal(new Set(routes.map(nameOf)).size, routes.length)
  for (const route of routes) {
    assert.match(route.operationId, /^[a-z][A-Za-z]+$/)
    assert.ok(route.summary.length > 5 && route.tag.length > 0, nameOf(route))
  }
})

test('every answer is a declared object with a request id, or bytes', () => {
  for (const route of routes.filter(({ response }) => response !== Bytes)) {
    const schema = route.response as {
      type?: string
      required?: readonly string[]
      additionalProperties?: unknown
    }
    assert.equal(schema.type, 'object', nameOf(route))
    assert.ok(schema.required?.includes('request_id'), nameOf(route))
    assert.equal(schema.additionalProperties, undefined, nameOf(route))
  }
})

test('every parameter of a path is declared', () => {
  for (const route of routes) {
    assert.deepEqual(Object.keys(route.params.properties), paramNames(route.url), nameOf(route))
  }
})

test('every list and single object can be narrowed with select', () => {
  for (const route of routes) {
    const hasData = 'data' in ((route.response as { properties?: object }).properties ?? {})
    const hasSelect = 'select' in route.query.properties
    if (route.method === 'GET') assert.equal(hasSelect, hasData, nameOf(route))
    else assert.ok(hasData || !hasSelect, nameOf(route))
  }
})
