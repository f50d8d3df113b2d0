import { isJsonObject, stringField } from '../../kit/json.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import type { GraphApi } from './api.ts'

/** Ids of Exchange are far longer; what is shorter is no id and is not worth a call. */
const SHORTEST_ID = 60

/**
 * Works on a message by its id. Ids that users saved elsewhere may be of the kind that changes when a message moves;
 * where Graph does not find one, it is translated, and tried once more
 * (learn.microsoft.com/graph/api/user-translateexchangeids, checked 2026-11).
 */
export async function byMessageId<T>(
  api: GraphApi,
  id: string,
  work: (id: string) => Promise<T>,
): Promise<T> {
  try {
    return await work(id)
  } catch (error) {
    if (!isUnknownId(error) || id.length < SHORTEST_ID) throw error
    const immutable = await translate(api, id)
    if (immutable === undefined || immutable === id) throw error
    return work(immutable)
  }
}

function isUnknownId(error: unknown): boolean {
  return (
    error instanceof ProviderError &&
    (error.kind === 'not-found' || error.details.providerCode === 'ErrorInvalidIdMalformed')
  )
}

async function translate(api: GraphApi, id: string): Promise<string | undefined> {
  const body = { inputIds: [id], sourceIdType: 'restId', targetIdType: 'restImmutableEntryId' }
  try {
    const answer = await api.changeJson(
      { method: 'POST', path: `${api.root}/translateExchangeIds`, body },
      'always',
    )
    const [first]: readonly unknown[] = Array.isArray(answer['value']) ? answer['value'] : []
    return isJsonObject(first) ? stringField(first, 'targetId') : undefined
  } catch (error) {
    if (error instanceof ProviderError) return undefined // the id's own error is the better answer
    throw error
  }
}
