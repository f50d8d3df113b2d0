import assert from 'node:assert/strict'

/** A page as a test looks at it: small enough a language that patterns read it. */
export interface ReadPage {
  readonly status: number
  readonly headers: Headers
  readonly html: string
  readonly title: string
  readonly forms: readonly ReadForm[]
  readonly inputs: readonly ReadInput[]
}

export interface ReadForm {
  readonly action: string
  readonly token: string
  readonly buttons: readonly { readonly name: string; readonly value: string; readonly text: string }[]
}

export interface ReadInput {
  readonly attributes: ReadonlyMap<string, string>
  /** of its label */
  readonly label: string | undefined
}

export async function readPage(answer: Response): Promise<ReadPage> {
  const html = await answer.text()
  return {
    status: answer.status,
    headers: answer.headers,
    html,
    title: decode(/<title>([^<]*)<\/title>/.exec(html)?.[1] ?? ''),
    forms: [...html.matchAll(/<form([^>]*)>([\s\S]*?)<\/form>/g)].map(([, tag, content]) => ({
      action: attributesOf(tag ?? '').get('action') ?? '',
      token: /name="csrf" value="([^"]*)"/.exec(content ?? '')?.[1] ?? '',
      buttons: [...(content ?? '').matchAll(/<button([^>]*)>([^<]*)<\/button>/g)].map(([, button, text]) => ({
        name: attributesOf(button ?? '').get('name') ?? '',
        value: attributesOf(button ?? '').get('value') ?? '',
        text: decode(text ?? ''),
      })),
    })),
    inputs: [...html.matchAll(/<input([^>]*)>/g)].map(([, tag]) => {
      const attributes = attributesOf(tag ?? '')
      const label = new RegExp(`<label for="${attributes.get('id')}">([^<]*)`).exec(html)?.[1]
      return { attributes, label: label === undefined ? undefined : decode(label) }
    }),
  }
}

function attributesOf(tag: string): ReadonlyMap<string, string> {
  return new Map(
    [...tag.matchAll(/([a-z-]+)(?:="([^"]*)")?/g)].map(([, name, value]) => [
      name ?? '',
      decode(value ?? ''),
    ]),
  )
}

export function decode(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&#96;', '`')
    .replaceAll('&amp;', '&')
}

/** What every page must be: headers, no script, nothing loaded, a language, a title, one heading, labels. */
export function assertGoodPage(
  page: ReadPage,
  at: string,
  { isHttps = false, images = "'none'" } = {},
): void {
  const { headers, html } = page
  assert.equal(headers.get('content-type'), 'text/html; charset=utf-8', at)
  const nonce = /<style nonce="([A-Za-z0-9_-]{22})">/.exec(html)?.[1]
  assert.ok(nonce, at)
  const formAction = page.forms.length > 0 ? "'self'" : "'none'"
  assert.equal(
    headers.get('content-security-policy'),
    `default-src 'none'; style-src 'nonce-${nonce}'; img-src ${images}; form-action ${formAction}; ` +
      "base-uri 'none'; frame-ancestors 'none'",
    at,
  )
  assert.equal(headers.get('cache-control'), 'no-store', at)
  assert.equal(headers.get('x-content-type-options'), 'nosniff', at)
  assert.equal(headers.get('x-frame-options'), 'DENY', at)
  assert.equal(headers.get('referrer-policy'), 'same-origin', at)
  assert.equal(headers.get('content-encoding'), null, at)
  assert.equal(headers.get('strict-transport-security'), isHttps ? 'max-age=31536000' : null, at)
  assert.equal(headers.get('cross-origin-opener-policy'), null, at)
  const markup = html.replace(/<style[\s\S]*?<\/style>/, '')
  assert.doesNotMatch(html, /<script|<iframe|<object|<embed|<link|<base/i, at)
  assert.doesNotMatch(markup, /\son[a-z]+\s*=|\sstyle\s*=|javascript:/i, at)
  assert.match(html, /^<!doctype html>\n<html lang="en">/, at)
  assert.ok(page.title.length > 5, at)
  for (const part of [/<h1>[^<]+<\/h1>/g, /<main>/g, /<meta name="viewport"/g]) {
    assert.equal([...markup.matchAll(part)].length, 1, `${at}: ${part.source}`)
  }
  assertAccessible(page, at)
}

function assertAccessible({ html, inputs, forms }: ReadPage, at: string): void {
  const ids = [...html.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id)
  assert.equal(new Set(ids).size, ids.length, `${at}: ids are there twice`)
  for (const { attributes, label } of inputs) {
    if (attributes.get('type') === 'hidden') continue
    const name = `${at}: ${attributes.get('name')}`
    assert.ok(label !== undefined && label !== '', `${name} has no label`)
    assert.ok(attributes.has('autocomplete'), name)
    for (const id of (attributes.get('aria-describedby') ?? '').split(' ').filter(Boolean)) {
      assert.ok(ids.includes(id), `${name} is described by ${id}, which is not there`)
    }
    if (attributes.get('type') === 'password') assert.ok(!attributes.has('value'), name)
  }
  for (const form of forms) {
    assert.match(form.token, /^[A-Za-z0-9_-]{43}$/, at)
    assert.ok(form.buttons.length > 0, at)
    for (const { text } of form.buttons) assert.ok(text.length > 2, at)
  }
  assert.ok([...html.matchAll(/\sautofocus/g)].length <= 1, `${at}: focus in two places`)
}
