import { isJsonObject, type JsonObject, numberField, parseJson, stringField } from '../../kit/json.ts'
import { ProviderError, type ProviderErrorKind } from '../../kit/provider-error.ts'

/** One line of the table: the first whose conditions all hold judges the answer. */
export interface ApiErrorRule {
  readonly status: number
  /** `reason` of `errors[]` or of an ErrorInfo in `details[]`, or the canonical `status`; any of them. */
  readonly reasons?: readonly string[]
  readonly message?: RegExp
  readonly kind: ProviderErrorKind
  readonly text: string
  readonly advice?: string
  /** Where this is documented or was reported; checked 2026-11. */
  readonly source: string
}

const GMAIL = 'developers.google.com/workspace/gmail/api/guides/handle-errors'
const CALENDAR = 'developers.google.com/workspace/calendar/api/guides/errors'
const ERROR_INFO = 'github.com/googleapis/googleapis google/api/error_reason.proto'

/** Errors of Google's APIs (contract/email.md 12.4 and 16). Most special first; 5xx come after. */
export const API_ERROR_RULES: readonly ApiErrorRule[] = [
  {
    status: 400,
    reasons: ['failedPrecondition', 'FAILED_PRECONDITION'],
    message: /sync ?token/i,
    kind: 'not-found',
    text: 'The sync token has expired.',
    source: 'developers.google.com/people/api/rest/v1/people.connections/list',
  },
  {
    status: 400,
    reasons: ['failedPrecondition', 'FAILED_PRECONDITION'],
    kind: 'invalid-request',
    text: 'Google refused the request: a precondition failed.',
    advice: 'The service may be switched off for this account (Gmail without a mailbox).',
    source: GMAIL,
  },
  {
    status: 400,
    message: /^(invalid (to|cc|bcc|from|reply-to) header|recipient address required)/i,
    kind: 'rejected',
    text: 'Google refused an address of the message.',
    source: 'public reports of messages.send: "Invalid To header", "Recipient address required"',
  },
  { status: 400, kind: 'invalid-request', text: 'Google refused the request as invalid.', source: GMAIL },
  {
    status: 401,
    kind: 'access-refused',
    text: 'Google refused the access token.',
    advice:
      'If this stays, the account may be suspended or the API access withdrawn: let the user sign in again.',
    source: GMAIL,
  },
  {
    status: 403,
    reasons: ['dailyLimitExceeded', 'quotaExceeded'],
    kind: 'quota-exhausted',
    text: 'The quota of the Google Cloud project is used up.',
    advice: 'Raise the quota in the Google Cloud console or wait for its renewal.',
    source: CALENDAR,
  },
  {
    status: 403,
    reasons: ['rateLimitExceeded', 'userRateLimitExceeded', 'RATE_LIMIT_EXCEEDED'],
    kind: 'rate-limited',
    text: 'Google is throttling this account.',
    source: GMAIL,
  },
  {
    status: 403,
    reasons: ['accessNotConfigured', 'SERVICE_DISABLED'],
    kind: 'client-misconfigured',
    text: 'This API is not enabled in the Google Cloud project of the connector.',
    advice: 'Enable it in the Google Cloud console under APIs & Services, Library.',
    source: ERROR_INFO,
  },
  {
    status: 403,
    reasons: ['domainPolicy'],
    kind: 'access-refused',
    text: "The administrator of the user's domain has disabled this app or service.",
    advice: 'The Workspace administrator must allow the app under API controls.',
    source: GMAIL,
  },
  {
    status: 403,
    reasons: ['insufficientPermissions', 'ACCESS_TOKEN_SCOPE_INSUFFICIENT'],
    kind: 'scope-missing',
    text: 'The grant lacks the scope for this request.',
    advice: 'Let the user consent to the missing scope.',
    source: ERROR_INFO,
  },
  {
    status: 403,
    message: /metadata scope/i,
    kind: 'scope-missing',
    text: 'The scope gmail.metadata allows neither bodies nor searches.',
    advice: 'Let the user consent to gmail.readonly or gmail.modify.',
    source: 'developers.google.com/workspace/gmail/api/reference/rest/v1/users.messages/list',
  },
  {
    status: 403,
    reasons: ['insufficientFilePermissions', 'forbiddenForNonOrganizer', 'requiredAccessLevel'],
    kind: 'invalid-request',
    text: 'The account may not change this object.',
    source: CALENDAR,
  },
  { status: 403, kind: 'access-refused', text: 'Google denied access.', source: GMAIL },
  { status: 404, kind: 'not-found', text: 'The object does not exist at Google.', source: GMAIL },
  {
    status: 409,
    kind: 'conflict',
    text: 'The object exists already or was changed meanwhile.',
    source: CALENDAR,
  },
  { status: 410, kind: 'not-found', text: 'The object or the sync token is gone.', source: CALENDAR },
  { status: 412, kind: 'conflict', text: 'The object was changed meanwhile.', source: CALENDAR },
  { status: 413, kind: 'too-large', text: 'The message is too large for Google.', source: GMAIL },
  {
    status: 429,
    reasons: ['dailyLimitExceeded'],
    kind: 'quota-exhausted',
    text: 'The quota of the account is used up.',
    source: GMAIL,
  },
  { status: 429, kind: 'rate-limited', text: 'Google is throttling this account.', source: GMAIL },
]

/** An error answer as far as it is judged: of a call of its own or of a part of a batch. */
export interface ApiAnswer {
  readonly status: number
  readonly text: string
  readonly retryAfterSeconds?: number | undefined
  readonly nowMs: number
}

/**
 * Makes the error of an API answer that is not a success.
 *
 * @returns a ProviderError whose `providerBody` is Google's inner `error` object, reduced to code, message,
 *          status and errors; an answer without that JSON (a proxy's page) is judged by its status alone
 */
export function googleApiError(answer: ApiAnswer): ProviderError {
  const body = parseJson(answer.text)
  const error = isJsonObject(body) && isJsonObject(body['error']) ? body['error'] : undefined
  const shown = error ? reduce(error) : { code: answer.status, message: `HTTP ${answer.status}` }
  const reasons = error ? reasonsOf(error) : []
  const message = error ? (stringField(error, 'message') ?? '') : ''
  const retryAfter = answer.retryAfterSeconds ?? retryTime(message, answer.nowMs)
  const details = {
    httpStatus: answer.status,
    providerCode: reasons[0] ?? String(answer.status),
    providerBody: shown,
    answered: true,
    ...(retryAfter === undefined ? {} : { retryAfterSeconds: retryAfter }),
  }
  const rule = API_ERROR_RULES.find(
    (line) =>
      line.status === answer.status &&
      (line.reasons === undefined || line.reasons.some((reason) => reasons.includes(reason))) &&
      (line.message === undefined || line.message.test(message)),
  )
  if (rule) {
    return new ProviderError(rule.kind, rule.text, {
      ...details,
      ...(rule.advice === undefined ? {} : { advice: rule.advice }),
    })
  }
  if (answer.status >= 500) {
    return new ProviderError('unavailable', `Google failed (${answer.status}).`, details)
  }
  if (answer.status >= 400) {
    return new ProviderError('invalid-request', `Google refused the request (${answer.status}).`, details)
  }
  return new ProviderError(
    'malformed-response',
    `Something between here and Google answered ${answer.status}.`,
    details,
  )
}

function reasonsOf(error: JsonObject): readonly string[] {
  return [
    ...objects(error['errors']).flatMap((entry) => stringField(entry, 'reason') ?? []),
    ...objects(error['details']).flatMap((entry) => stringField(entry, 'reason') ?? []),
    ...(stringField(error, 'status') === undefined ? [] : [String(error['status'])]),
  ]
}

function reduce(error: JsonObject): Record<string, unknown> {
  const code = numberField(error, 'code')
  const message = stringField(error, 'message')?.slice(0, 2000)
  const status = stringField(error, 'status')?.slice(0, 100)
  const errors = objects(error['errors']).slice(0, 5).map(reduceEntry)
  return {
    ...(code === undefined ? {} : { code }),
    ...(message === undefined ? {} : { message }),
    ...(status === undefined ? {} : { status }),
    ...(errors.length === 0 ? {} : { errors }),
  }
}

function reduceEntry(entry: JsonObject): Record<string, string> {
  const shown: Record<string, string> = {}
  for (const name of ['domain', 'reason', 'message', 'location', 'locationType']) {
    const value = stringField(entry, name)
    if (value !== undefined) shown[name] = value.slice(0, 500)
  }
  return shown
}

function objects(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : []
}

/** Gmail puts the end of a sending limit into the text: "Retry after 2026-11-24T09:00:00.000Z". */
function retryTime(message: string, nowMs: number): number | undefined {
  const [, at] = /retry after (\d{4}-\d\d-\d\dT[\d:.]+Z)/i.exec(message) ?? []
  const time = at === undefined ? Number.NaN : Date.parse(at)
  return Number.isNaN(time) ? undefined : Math.max(0, Math.ceil((time - nowMs) / 1000))
}
