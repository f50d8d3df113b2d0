/** A host that means only itself in a Content-Security-Policy: URLs may hold `;`, `'`, `,` and `*` there. */
const HOST = /^(?:[a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::\d+)?$/

/** Reads an address that an application put into its branding; null for what is not plain `https`. */
export function httpsUrl(text: string | null | undefined): URL | null {
  const url = text === null || text === undefined ? null : URL.parse(text)
  const isPlain =
    url?.protocol === 'https:' && url.username === '' && url.password === '' && HOST.test(url.host)
  return isPlain ? url : null
}
