import assert from 'node:assert/strict'
import nylasModule, { NylasApiError } from 'nylas'

// The package's types are CommonJS: at run time the default import is the class itself.
const Nylas = nylasModule as unknown as typeof nylasModule.default

export type Sdk = InstanceType<typeof Nylas>

/** The official Node SDK, unmodified, pointed at a server. */
export function sdkFor(server: { readonly url: string }, key: string): Sdk {
  return new Nylas({ apiKey: key, apiUri: `${server.url}/` })
}

/** A check for `assert.rejects`: the SDK's own error with that status and type, and a request id. */
export function apiError(status: number, type: string, message = /./) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof NylasApiError, String(error))
    assert.deepEqual([error.statusCode, error.type], [status, type], error.message)
    assert.match(error.message, message)
    assert.match(error.requestId ?? '', /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    assert.equal(error.requestId, error.headers?.['x-request-id'])
    return true
  }
}

/** All items of a list, page after page, as the SDK's iterator gives them. */
export async function everyItem<T extends { readonly id: string }>(
  pages: AsyncIterable<{ readonly data: T[] }>,
): Promise<T[]> {
  const all: T[] = []
  for await (const { data } of pages) {
    all.push(...data)
    assert.ok(all.length < 5_000, 'a list without an end')
  }
  assert.equal(new Set(all.map(({ id }) => id)).size, all.length, 'an item came twice')
  return all
}

/** The ids of items, in their order. */
export function idsOf(items: readonly { readonly id: string }[]): readonly string[] {
  return items.map(({ id }) => id)
}
