import { isJsonObject, type JsonObject, parseJson, stringField } from '../../kit/json.ts'
import { ProviderError, type ProviderErrorKind } from '../../kit/provider-error.ts'

/** One line of the table: judges an answer by Graph's error code, whatever its status. */
export interface GraphErrorRule {
  readonly codes: readonly string[]
  readonly kind: ProviderErrorKind
  readonly text: string
  readonly advice?: string
  /** Where this is documented or was reported; checked 2026-11. */
  readonly source: string
}

const ERRORS = 'learn.microsoft.com/graph/errors'
const THROTTLING = 'learn.microsoft.com/graph/throttling'
const EWS = 'learn.microsoft.com/exchange/client-developer/web-service-reference/responsecode'
const QUERY = 'learn.microsoft.com/graph/api/user-list-messages'

const LICENSE =
  'Assign an Exchange Online licence to the account; mailboxes on a local Exchange server are not reachable by Graph.'

/** Errors of Graph's mail API (contract/email.md 16). Codes are compared without case. */
export const GRAPH_ERROR_RULES: readonly GraphErrorRule[] = [
  {
    codes: [
      'ErrorItemNotFound',
      'ErrorFolderNotFound',
      'ResourceNotFound',
      'Request_ResourceNotFound',
      'itemNotFound',
    ],
    kind: 'not-found',
    text: 'The object does not exist at Microsoft.',
    source: EWS,
  },
  {
    codes: ['MailboxNotEnabledForRESTAPI', 'MailboxNotSupportedForRESTAPI'],
    kind: 'not-found',
    text: 'The account has no mailbox that Graph can reach.',
    advice: LICENSE,
    source: ERRORS,
  },
  {
    codes: ['ErrorInvalidUser', 'ErrorNonExistentMailbox', 'ErrorMissingEmailAddress'],
    kind: 'not-found',
    text: 'The mailbox does not exist at Microsoft.',
    advice: 'Check the address, and that the account has an Exchange Online licence.',
    source: EWS,
  },
  {
    codes: ['SyncStateNotFound', 'resyncRequired'],
    kind: 'not-found',
    text: 'The place in the list has expired at Microsoft.',
    source: ERRORS,
  },
  {
    codes: ['ErrorInvalidIdMalformed', 'ErrorInvalidId', 'ErrorInvalidIdEmpty'],
    kind: 'invalid-request',
    text: 'The id is not one of Microsoft’s.',
    source: EWS,
  },
  {
    codes: ['InefficientFilter', 'ErrorInvalidRestriction'],
    kind: 'invalid-request',
    text: 'Microsoft cannot combine these filters.',
    advice: 'Ask for fewer filters at once.',
    source: QUERY,
  },
  {
    codes: [
      'SearchWithOrderBy',
      'SearchWithFilter',
      'RequestBroker--ParseUri',
      'BadRequest',
      'ErrorInvalidRequest',
    ],
    kind: 'invalid-request',
    text: 'Microsoft refused the request as invalid.',
    source: ERRORS,
  },
  {
    codes: ['ErrorAccessDenied', 'Authorization_RequestDenied', 'accessDenied'],
    kind: 'scope-missing',
    text: 'The grant lacks the permission for this request.',
    advice:
      'Let the user (or the administrator) consent to the missing permission; for a shared mailbox the scopes end in .Shared and the owner must give access.',
    source: ERRORS,
  },
  {
    codes: ['ErrorAccountSuspend', 'ErrorAccountSuspendShowTierUpgrade', 'ErrorImpersonateUserDenied'],
    kind: 'access-refused',
    text: 'Microsoft has suspended the mailbox or this access to it.',
    advice: 'The user must sign in to Outlook on the web and follow what it says.',
    source: EWS,
  },
  {
    codes: ['InvalidAuthenticationToken', 'AuthenticationError', 'unauthenticated', 'TokenNotFound'],
    kind: 'access-refused',
    text: 'Microsoft refused the access token.',
    advice:
      'If this stays, the account may be disabled or a conditional access policy applies: let the user sign in again.',
    source: ERRORS,
  },
  {
    codes: [
      'ApplicationThrottled',
      'TooManyRequests',
      'activityLimitReached',
      'ErrorExceededConnectionCount',
      'ErrorServerBusy',
      'ErrorTooManyObjectsOpened',
    ],
    kind: 'rate-limited',
    text: 'Microsoft is throttling this mailbox.',
    source: THROTTLING,
  },
  {
    codes: ['ErrorExceededMessageLimit', 'ErrorSubmissionQuotaExceeded'],
    kind: 'quota-exhausted',
    text: 'The mailbox has reached its sending limit.',
    source: EWS,
  },
  {
    codes: [
      'ErrorInternalServerTransientError',
      'ErrorMailboxMoveInProgress',
      'ErrorMailboxStoreUnavailable',
      'ErrorMailboxFailover',
      'ErrorTimeoutExpired',
      'ErrorInternalServerError',
      'serviceNotAvailable',
      'generalException',
    ],
    kind: 'unavailable',
    text: 'Microsoft failed; it may work again shortly.',
    source: EWS,
  },
  {
    codes: ['ErrorSendAsDenied'],
    kind: 'send-as-denied',
    text: 'Microsoft does not let this account send as that address.',
    advice: 'Give the account the permission Send As or Send on Behalf of that mailbox, or leave out from.',
    source: EWS,
  },
  {
    codes: [
      'ErrorInvalidRecipients',
      'ErrorMissingRecipients',
      'ErrorInvalidRecipientSubfilter',
      'ErrorInvalidSmtpAddress',
    ],
    kind: 'rejected',
    text: 'Microsoft refused the message or one of its recipients.',
    source: EWS,
  },
  {
    codes: [
      'ErrorMessageSizeExceeded',
      'ErrorAttachmentSizeLimitExceeded',
      'ErrorDataSizeLimitExceeded',
      'MaximumRequestLengthExceeded',
      'RequestEntityTooLarge',
    ],
    kind: 'too-large',
    text: 'The message is larger than Microsoft takes.',
    advice: 'The limit of a tenant is 35 MB unless its administrator set another one (up to 150 MB).',
    source: EWS,
  },
  {
    codes: ['ErrorQuotaExceeded', 'quotaLimitReached'],
    kind: 'mailbox-full',
    text: 'The mailbox at Microsoft is full.',
    source: EWS,
  },
  {
    codes: [
      'InvalidInternetMessageHeader',
      'InvalidInternetMessageHeaderCollection',
      'ErrorMimeContentInvalid',
      'ErrorMimeContentInvalidBase64String',
      'ErrorDeleteDistinguishedFolder',
      'ErrorMoveDistinguishedFolder',
      'ErrorCannotUseFolderIdForItemId',
      'ErrorCannotUseItemIdForFolderId',
      'ErrorInvalidFolderId',
    ],
    kind: 'invalid-request',
    text: 'Microsoft refused the request as invalid.',
    source: EWS,
  },
  {
    codes: ['ErrorIrresolvableConflict', 'ErrorItemSave', 'ErrorFolderExists', 'nameAlreadyExists'],
    kind: 'conflict',
    text: 'The object exists already or was changed meanwhile.',
    source: EWS,
  },
]

const RULE_BY_CODE = new Map(
  GRAPH_ERROR_RULES.flatMap((rule) => rule.codes.map((code) => [code.toLowerCase(), rule] as const)),
)

/** An error answer as far as it is judged: of a call of its own or of a step of a batch. */
export interface GraphAnswer {
  readonly status: number
  /** the answer's JSON, where it is some */
  readonly body: unknown
  readonly retryAfterSeconds?: number | undefined
}

/**
 * Makes the error of a Graph answer that is not a success.
 *
 * @returns a ProviderError whose `providerBody` is Graph's inner `error` object, reduced to code, message and
 *          innerError; an answer without that JSON (a proxy's page) is judged by its status alone
 */
export function graphApiError(answer: GraphAnswer): ProviderError {
  const error =
    isJsonObject(answer.body) && isJsonObject(answer.body['error']) ? answer.body['error'] : undefined
  const code = error ? stringField(error, 'code') : undefined
  const details = {
    httpStatus: answer.status,
    providerCode: code || String(answer.status),
    providerBody: error ? reduce(error) : { code: answer.status, message: `HTTP ${answer.status}` },
    answered: true,
    ...(answer.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: answer.retryAfterSeconds }),
  }
  const rule = judge(answer, error, code)
  return new ProviderError(rule.kind, rule.text, {
    ...details,
    ...(rule.advice === undefined ? {} : { advice: rule.advice }),
  })
}

/** Reads the text of an error answer and judges it. */
export function graphErrorOfText(status: number, text: string, retryAfterSeconds?: number): ProviderError {
  return graphApiError({ status, body: parseJson(text), retryAfterSeconds })
}

interface Judgement {
  readonly kind: ProviderErrorKind
  readonly text: string
  readonly advice?: string
}

/** A 5xx is never the user's or the request's fault, and a 401 is always about the token, whatever the words. */
function judge(answer: GraphAnswer, error: JsonObject | undefined, code: string | undefined): Judgement {
  const { status } = answer
  const inner =
    error && isJsonObject(error['innerError']) ? stringField(error['innerError'], 'code') : undefined
  const rule = RULE_BY_CODE.get(code?.toLowerCase() ?? '') ?? RULE_BY_CODE.get(inner?.toLowerCase() ?? '')
  const isThrottle =
    status === 429 || ((status === 503 || status === 504) && answer.retryAfterSeconds !== undefined)
  if (isThrottle) {
    return rule?.kind === 'quota-exhausted'
      ? rule
      : { kind: 'rate-limited', text: 'Microsoft is throttling this mailbox.' }
  }
  if (status >= 500) {
    const own = rule && ['rate-limited', 'unavailable', 'mailbox-full'].includes(rule.kind) ? rule : undefined
    return own ?? { kind: 'unavailable', text: `Microsoft failed (${status}).` }
  }
  if (status === 401) {
    return rule?.kind === 'access-refused'
      ? rule
      : { kind: 'access-refused', text: 'Microsoft refused the access token.' }
  }
  return rule ?? byStatus(status)
}

function byStatus(status: number): Judgement {
  switch (status) {
    case 403:
      return { kind: 'access-refused', text: 'Microsoft denied access.' }
    case 404:
    case 410:
      return { kind: 'not-found', text: 'The object does not exist at Microsoft.' }
    case 413:
      return { kind: 'too-large', text: 'The request is larger than Microsoft takes.' }
    case 409:
    case 412:
      return { kind: 'conflict', text: 'The object exists already or was changed meanwhile.' }
    default:
      return status >= 400
        ? { kind: 'invalid-request', text: `Microsoft refused the request (${status}).` }
        : { kind: 'malformed-response', text: `Something between here and Microsoft answered ${status}.` }
  }
}

function reduce(error: JsonObject): Record<string, unknown> {
  const code = stringField(error, 'code')?.slice(0, 200)
  const message = stringField(error, 'message')?.slice(0, 2000)
  const inner = isJsonObject(error['innerError']) ? reduceInner(error['innerError']) : {}
  return {
    ...(code === undefined ? {} : { code }),
    ...(message === undefined ? {} : { message }),
    ...(Object.keys(inner).length === 0 ? {} : { innerError: inner }),
  }
}

/** What Microsoft's support asks for. */
function reduceInner(inner: JsonObject): Record<string, string> {
  const shown: Record<string, string> = {}
  for (const name of ['code', 'date', 'request-id', 'client-request-id']) {
    const value = stringField(inner, name)
    if (value !== undefined) shown[name] = value.slice(0, 200)
  }
  return shown
}
