import { appError } from '../../contract/errors.ts'

/** Scopes of Nylas v2 itself; v3 uses the provider's (contract/auth.md 9). */
const NYLAS_SCOPES = new Set([
  'email.modify',
  'email.read_only',
  'email.send',
  'email.folders_and_labels',
  'email.metadata',
  'email.drafts',
  'calendar.read_only',
  'calendar.free_busy',
  'contacts.read_only',
  'room_resources.read_only',
])
/** Nylas scopes too, but Google has short names like them: only beside another one of Nylas. */
const AMBIGUOUS = new Set(['calendar', 'contacts'])

const MAX_SCOPES = 200
const MAX_SCOPE = 512

/**
 * Reads the scopes of a row: a list, or text with spaces or commas between them. Those of Nylas v2 are left out.
 * @returns undefined where none are left: then the connector's count
 * @throws AppError `api.invalid_request_error`
 */
export function readScope(given: unknown): readonly string[] | undefined {
  if (given === undefined || given === '') return undefined
  const scopes = typeof given === 'string' ? given.split(/[\s,]+/).filter(Boolean) : given
  if (!Array.isArray(scopes) || scopes.length > MAX_SCOPES || !scopes.every(isScope)) {
    throw appError(
      'api.invalid_request_error',
      `scope must be a list of at most ${MAX_SCOPES} scopes, or text with spaces between them`,
    )
  }
  const isOld = scopes.some((scope) => NYLAS_SCOPES.has(scope))
  const kept = scopes.filter((scope) => !NYLAS_SCOPES.has(scope) && !(isOld && AMBIGUOUS.has(scope)))
  return kept.length === 0 ? undefined : kept
}

function isScope(scope: unknown): scope is string {
  return typeof scope === 'string' && scope !== '' && scope.length <= MAX_SCOPE && !scope.includes('\0')
}
