import assert from 'node:assert/strict'

/**
 * Goes from an authorization address to the callback as a browser without script would: follows redirects, keeps
 * cookies, and on a page of forms sends the one of the user.
 *
 * @param redirectUri  where the walk ends; it is not called
 * @returns the query of the callback
 */
export async function walkConsent(
  start: string,
  { redirectUri, email }: { readonly redirectUri: string; readonly email: string },
): Promise<URLSearchParams> {
  const cookies = new Map<string, string>()
  let next: { readonly url: string; readonly body?: URLSearchParams } = { url: start }
  for (let steps = 0; steps < 12; steps += 1) {
    const answer = await fetch(next.url, {
      redirect: 'manual',
      method: next.body ? 'POST' : 'GET',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      ...(next.body ? { body: next.body } : {}),
    })
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=;]+)=([^;]*)/.exec(line) ?? []
      if (name !== undefined && value !== undefined) cookies.set(name, value)
    }
    const page = await answer.text()
    const location = answer.headers.get('location')
    if (location !== null) {
      const target = new URL(location, next.url)
      if (`${target.origin}${target.pathname}` === redirectUri) return target.searchParams
      next = { url: target.href }
      continue
    }
    assert.equal(answer.status, 200, `${next.url}: ${page.slice(0, 500)}`)
    next = formOf(page, email, next.url)
  }
  throw new Error(`no callback came of ${start}`)
}

function formOf(
  page: string,
  email: string,
  base: string,
): { readonly url: string; readonly body: URLSearchParams } {
  for (const [form, action] of page.matchAll(/<form [^>]*action="([^"]*)"[^>]*>[\s\S]*?<\/form>/g)) {
    const fields = [...form.matchAll(/<input [^>]*name="([^"]*)" value="([^"]*)"/g)].map(
      ([, name, value]) => [unescaped(name ?? ''), unescaped(value ?? '')] as [string, string],
    )
    if (fields.some(([, value]) => value === email)) {
      return { url: new URL(unescaped(action ?? ''), base).href, body: new URLSearchParams(fields) }
    }
  }
  throw new Error(`no form of ${email} on ${base}: ${page.slice(0, 500)}`)
}

function unescaped(text: string): string {
  return text
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
}
