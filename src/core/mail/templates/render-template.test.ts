import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../kit/json.ts'
import { renderTemplate } from './render-template.ts'

const render = (engine: 'mustache' | 'handlebars', text: string, variables: JsonObject = {}, strict = true) =>
  renderTemplate({ engine, text, variables, strict, isHtml: true })

test('Mustache: names, sections, inverted sections, comments and other delimiters', async () => {
  for (const [text, variables, expected] of [
    [
      '{{a}} {{{a}}} {{&a}}',
      { a: '<"\'/`=&>' },
      '&lt;&quot;&#39;&#x2F;&#x60;&#x3D;&amp;&gt; <"\'/`=&> <"\'/`=&>',
    ],
    ['{{a.b.c}}', { a: { b: { c: 1 } } }, '1'],
    ['{{#a}}{{x}}{{/a}}', { a: [{ x: 1 }, { x: 2 }] }, '12'],
    ['{{#a}}{{.}},{{/a}}', { a: ['x', 'y'] }, 'x,y,'],
    ['{{#a}}{{b}}{{/a}}', { a: { c: 1 }, b: 'outer' }, 'outer'],
    ['{{#a}}yes {{b}}{{/a}}{{^a}}no{{/a}}', { a: true, b: 1 }, 'yes 1'],
    ['{{#a}}yes{{/a}}{{^a}}no{{/a}}', { a: [] }, 'no'],
    ['{{#gone}}yes{{/gone}}{{^gone}}no{{/gone}}', {}, 'no'],
    ['{{! note }}{{=<% %>=}}<% a %>', { a: 1 }, '1'],
    ['{{a}}{{b}}{{c}}', { a: null, b: false, c: [1, [2]] }, 'false1,2'],
  ] as const) {
    assert.equal(await render('mustache', text, variables), expected, text)
  }
})

test('Handlebars: if, unless, each, with, data, parents, block parameters and white space', async () => {
  for (const [text, variables, expected] of [
    ['{{a}} {{{a}}} {{&a}}', { a: '<"\'/`=&>' }, '&lt;&quot;&#39;/&#x60;&#x3D;&amp;&gt; <"\'/`=&> <"\'/`=&>'],
    ['{{#if a}}yes{{else}}no{{/if}}', { a: 0 }, 'no'],
    ['{{#if a}}1{{else if b}}2{{else}}3{{/if}}', { b: 'x' }, '2'],
    ['{{#unless a}}no{{/unless}}', {}, 'no'],
    ['{{#each a}}{{@index}}{{this}}{{#unless @last}},{{/unless}}{{/each}}', { a: ['x', 'y'] }, '0x,1y'],
    ['{{#each a}}{{@key}}={{this}};{{/each}}', { a: { k: 'v' } }, 'k=v;'],
    ['{{#each a}}x{{else}}none{{/each}}', { a: [] }, 'none'],
    ['{{#each a as |item at|}}{{at}}{{item.n}}{{../b}}{{/each}}', { a: [{ n: 'x' }], b: '!' }, '0x!'],
    ['{{#with a}}{{b}}{{@root.c}}{{/with}}', { a: { b: 1 }, c: 2 }, '12'],
    ['{{#a}}{{b}}{{/a}}{{^a}}no{{/a}}', { a: [{ b: 1 }] }, '1'],
    ['a  {{~ b ~}}  c', { b: '-' }, 'a-c'],
    ['{{a.[b c]}} {{a.[0]}} {{"text"}}', { a: { 'b c': 1, 0: 2 } }, '1 2 text'],
    ['{{!-- note --}}\\{{a}}', {}, '{{a}}'],
  ] as const) {
    assert.equal(await render('handlebars', text, variables), expected, text)
  }
})

test('no name reaches anything but own fields of the variables', async () => {
  const names = [
    'constructor',
    'constructor.constructor',
    '__proto__',
    'toString',
    'a.constructor',
    'a.__proto__.x',
    'list.map',
    'list.constructor',
    'text.length',
    'process.env',
    'globalThis',
    'require',
  ]
  const variables = { a: {}, list: [1], text: 'x' }
  for (const engine of ['mustache', 'handlebars'] as const) {
    for (const name of names) {
      await assert.rejects(
        render(engine, `{{${name}}}`, variables),
        { status: 400, message: /is not given/ },
        name,
      )
      assert.equal(await render(engine, `[{{${name}}}]`, variables, false), '[]', name)
      assert.equal(await render(engine, `[{{#${name}}}x{{/${name}}}]`, variables), '[]', name)
    }
  }
  const own: JsonObject = JSON.parse('{"__proto__": "mine", "constructor": {"name": "c"}}')
  assert.equal(await render('mustache', '{{__proto__}} {{constructor.name}}', own), 'mine c')
})

test('work and output are bounded', async () => {
  const items = Array.from({ length: 1_000 }, () => 'x'.repeat(100))
  const loops = '{{#a}}{{#a}}{{#a}}{{#a}}x{{/a}}{{/a}}{{/a}}{{/a}}'
  await assert.rejects(render('mustache', loops, { a: items }), { status: 400, message: /steps|characters/ })
  const each = '{{#each @root.a}}{{#each @root.a}}{{#each @root.a}}{{/each}}{{/each}}{{/each}}'
  await assert.rejects(render('handlebars', each, { a: items }), { status: 400, message: /steps/ })
  const long = '{{#a}}{{b}}{{/a}}'
  await assert.rejects(render('mustache', long, { a: items, b: 'x'.repeat(100_000) }), {
    status: 400,
    message: /characters/,
  })
})
