import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createTemplateRenderer } from '../../src/core/mail/templates/template-service.ts'
import type { GrantRecord } from '../../src/core/ports/records.ts'
import { grantRecord, type HttpApp, startHttpApp } from '../support/http-app.ts'

let app: HttpApp
let grant: GrantRecord

before(async () => {
  app = await startHttpApp()
  grant = grantRecord({ applicationId: app.applicationId })
  await app.database.stores.grants.insert(grant)
})
after(() => app.close())

const OWN = '/v3/templates'
const ofGrant = () => `/v3/grants/${grant.id}/templates`
const welcome = { name: 'Welcome', subject: 'Hi {{name}}', body: '<p>{{name}} & {{{html}}}</p>' }

test('refuses without a key', async () => {
  for (const path of [OWN, ofGrant()]) {
    assert.equal((await app.call('GET', path, undefined, { authorization: '' })).status, 401)
  }
})

test('creates, finds, changes, renders and deletes templates of the application and of a grant', async () => {
  for (const base of [OWN, ofGrant()]) {
    const created = await app.call('POST', base, welcome)
    const { id } = created.body.data
    const template = {
      id,
      grant_id: base === OWN ? null : grant.id,
      app_id: base === OWN ? app.applicationId : null,
      engine: 'mustache',
      ...welcome,
      object: 'template',
      created_at: 1_767_225_600,
      updated_at: 1_767_225_600,
    }
    assert.equal(created.status, 200)
    assert.deepEqual(created.body, { request_id: created.body.request_id, data: template })
    assert.deepEqual((await app.call('GET', `${base}/${id}`)).body.data, template)
    assert.equal((await app.call('GET', `${base === OWN ? ofGrant() : OWN}/${id}`)).status, 404)
    const list = await app.call('GET', base)
    assert.deepEqual(list.body, { request_id: list.body.request_id, data: [template] })
    const rendered = await app.call('POST', `${base}/${id}/render`, {
      variables: { name: 'Tom & <b>', html: '<i>x</i>' },
    })
    assert.deepEqual(rendered.body, {
      request_id: rendered.body.request_id,
      data: { subject: 'Hi Tom & <b>', body: '<p>Tom &amp; &lt;b&gt; & <i>x</i></p>' },
    })
    const changed = await app.call('PUT', `${base}/${id}`, { engine: 'handlebars', id: 'x', app_id: 'x' })
    assert.deepEqual(changed.body.data, { ...template, engine: 'handlebars' })
    assert.equal((await app.call('DELETE', `${base}/${id}`)).status, 200)
    for (const [method, path] of [
      ['GET', ''],
      ['DELETE', ''],
      ['POST', '/render'],
    ] as const) {
      assert.equal((await app.call(method, `${base}/${id}${path}`)).status, 404)
    }
  }
})

test('another application sees none of them', async () => {
  const { body } = await app.call('POST', OWN, welcome)
  const foreign = { authorization: `Bearer ${app.otherKey}` }
  assert.equal((await app.call('GET', `${OWN}/${body.data.id}`, undefined, foreign)).status, 404)
  assert.deepEqual((await app.call('GET', OWN, undefined, foreign)).body.data, [])
  await app.call('DELETE', `${OWN}/${body.data.id}`)
})

test('pages through templates', async () => {
  const ids: string[] = []
  for (const name of ['a', 'b', 'c']) {
    ids.unshift((await app.call('POST', ofGrant(), { ...welcome, name })).body.data.id)
  }
  const first = await app.call('GET', `${ofGrant()}?limit=2&select=id`)
  assert.deepEqual(first.body.data, [{ id: ids[0] }, { id: ids[1] }])
  const rest = `limit=2&select=id&page_token=${first.body.next_cursor}`
  const second = await app.call('GET', `${ofGrant()}?${rest}`)
  assert.deepEqual(second.body, { request_id: second.body.request_id, data: [{ id: ids[2] }] })
  assert.equal((await app.call('GET', `${OWN}?${rest}`)).status, 400)
})

test('renders text that is stored nowhere', async () => {
  for (const base of [OWN, ofGrant()]) {
    const answer = await app.call('POST', `${base}/render`, {
      body: '{{#each items}}{{@index}}:{{name}} {{/each}}',
      engine: 'handlebars',
      variables: { items: [{ name: 'a' }, { name: '<' }] },
    })
    assert.deepEqual(answer.body, { request_id: answer.body.request_id, data: { body: '0:a 1:&lt; ' } })
  }
})

test('names a variable that is not given, and leaves it empty when not strict', async () => {
  const body = { body: 'a{{who.name}}b', variables: { who: {} } }
  const strict = await app.call('POST', `${OWN}/render`, body)
  assert.equal(strict.status, 400)
  assert.deepEqual(strict.body.error, {
    type: 'api.invalid_request_error',
    message: 'The template cannot be rendered: the variable who.name is not given.',
  })
  const lenient = await app.call('POST', `${OWN}/render`, { ...body, strict: false })
  assert.equal(lenient.body.data.body, 'ab')
})

test('refuses what it can’t render safely, when it is stored and when it is rendered', async () => {
  for (const [engine, body, message] of [
    ['nunjucks', 'x', /engine: this server does not render nunjucks/],
    ['twig', 'x', /engine: this server does not render twig/],
    ['jinja', 'x', /engine/],
    ['mustache', '{{> partial}}', /partials/],
    ['handlebars', '{{> partial}}', /partials/],
    ['handlebars', '{{#> layout}}x{{/layout}}', /partials/],
    ['handlebars', '{{* decorator}}', /decorators/],
    ['handlebars', '{{lookup a b}}', /the helper lookup is not known/],
    ['handlebars', '{{log (eval "x")}}', /the helper log is not known/],
    ['handlebars', '{{#if (a b)}}x{{/if}}', /parentheses/],
    ['handlebars', '{{#if}}x{{/if}}', /if takes one argument/],
    ['mustache', '{{#a}}', /Unclosed section/],
    ['handlebars', '{{#if a}}', /cannot be rendered/],
    ['handlebars', '{{#if a}}'.repeat(60) + '{{/if}}'.repeat(60), /nested/],
    ['mustache', '{{#a}}'.repeat(60) + '{{/a}}'.repeat(60), /nested/],
    ['handlebars', '{{#if a}}'.repeat(5_000) + '{{/if}}'.repeat(5_000), /more than 500 blocks/],
    ['handlebars', `{{#if a}}${'{{else if b}}'.repeat(10_000)}{{/if}}`, /more than 500 blocks/],
    ['handlebars', `{{# if a}}${'{{~^ if b}}'.repeat(10_000)}{{/if}}`, /more than 500 blocks/],
    ['mustache', '{{#a}}'.repeat(15_000) + '{{/a}}'.repeat(15_000), /nested/],
    ['mustache', 'x'.repeat(256 * 1024 + 1), /256 KB/],
  ] as const) {
    for (const [path, more] of [
      [OWN, { name: 'n', subject: 's' }],
      [`${OWN}/render`, { variables: {} }],
    ] as const) {
      const answer = await app.call('POST', path, { engine, body, ...more })
      assert.equal(answer.status, 400, `${engine} ${body.slice(0, 40)}`)
      assert.match(answer.body.error.message, message)
    }
  }
})

test('a message gets a template of its grant or of its application, and a 400 that names the field else', async () => {
  const renderer = createTemplateRenderer(app)
  for (const base of [OWN, ofGrant()]) {
    const { id } = (await app.call('POST', base, welcome)).body.data
    assert.deepEqual(await renderer.render(grant, { id, variables: { name: 'A', html: '<i>' } }), {
      subject: 'Hi A',
      body: '<p>A & <i></p>',
    })
  }
  await assert.rejects(renderer.render(grant, { id: 'none' }), { status: 400, message: /template\.id/ })
})
