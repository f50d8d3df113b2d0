import { isJsonObject, type JsonObject, stringField } from '../../kit/json.ts'
import type { HttpResponse } from '../../kit/outbound/http-client.ts'
import { IN_BYTES, IN_CHARACTERS, isAscii, parseJsonInBytes, type TextForm } from '../../kit/text-form.ts'
import { readObject } from './graph-call.ts'

/** A list of Graph's, and how its strings hold their text. */
export interface ListAnswer {
  readonly answer: JsonObject
  readonly form: TextForm
}

/**
 * Reads a list, in bytes where that is as good.
 * @throws ProviderError `malformed-response`
 */
export function readListAnswer(response: HttpResponse): ListAnswer {
  const answer = parseJsonInBytes(response.body)
  return isJsonObject(answer) && isUnderstoodInBytes(answer)
    ? { answer, form: IN_BYTES }
    : { answer: readObject(response), form: IN_CHARACTERS }
}

/** What this server itself understands of a list must be ASCII, as it always is: ids, dates, the link to the next page. */
const UNDERSTOOD = ['id', 'receivedDateTime', 'sentDateTime', 'createdDateTime'] as const

function isUnderstoodInBytes({ '@odata.nextLink': link, value }: JsonObject): boolean {
  if (typeof link === 'string' && !isAscii(link)) return false
  if (!Array.isArray(value)) return false
  return value.every(
    (item) => !isJsonObject(item) || UNDERSTOOD.every((name) => isAscii(stringField(item, name) ?? '')),
  )
}
