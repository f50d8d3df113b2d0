/**
 * Adds an authorization request to the endpoint that the operator set. A query that the endpoint already has stays
 * (RFC 6749 section 3.1); a parameter of the same name is replaced, since none may come twice. Spaces are written
 * `%20`, which every provider reads.
 *
 * @param parameters  those that are undefined are left out; the order is kept
 */
export function buildAuthorizeUrl(
  endpoint: string,
  parameters: { readonly [name: string]: string | undefined },
): string {
  const url = new URL(endpoint)
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) url.searchParams.set(name, value)
  }
  url.hash = ''
  // A plus sign itself is written %2B, so what is left of them are spaces.
  url.search = url.search.replaceAll('+', '%20')
  return url.href
}

/** Joins scopes for a request; what is said twice is said once. */
export function joinScopes(...lists: readonly (readonly string[])[]): string {
  return [...new Set(lists.flat().flatMap((scope) => scope.split(/\s+/)))].filter(Boolean).join(' ')
}
