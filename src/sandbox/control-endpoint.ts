import { isJsonObject, type JsonObject, numberField, parseJson, stringField } from '../kit/json.ts'
import type { SandboxControl } from './control.ts'
import { json } from './reply.ts'
import { FAIL_MODES, FAIL_TARGETS, type SandboxState } from './state.ts'
import type { SandboxReply, SandboxRequest } from './types.ts'

/** Answers `/sandbox/…`; undefined for an address it doesn't have. */
export function controlEndpoint(
  state: SandboxState,
  control: SandboxControl,
  request: SandboxRequest,
): SandboxReply | undefined {
  const action = `${request.method} ${request.url.pathname}`
  const parsed = parseJson(request.body || '{}')
  const body: JsonObject = isJsonObject(parsed) ? parsed : {}
  const email = stringField(body, 'email')
  switch (action) {
    case 'POST /sandbox/mint': {
      const scope = stringField(body, 'scope')
        ?.split(/[\s,]+/)
        .filter(Boolean)
      if (email === undefined || !state.users.has(email)) return refuse('email must be one of a sandbox user')
      return json({ refresh_token: control.mintRefreshToken(email, scope), email })
    }
    case 'POST /sandbox/revoke': {
      const token = stringField(body, 'refresh_token')
      if (token !== undefined) control.revokeToken(token)
      else if (email !== undefined) control.revokeUser(email)
      else return refuse('refresh_token or email is required')
      return json({})
    }
    case 'POST /sandbox/expire':
      control.expireAccessTokens(email)
      return json({})
    case 'POST /sandbox/fail': {
      const target = FAIL_TARGETS.find((one) => one === body['target'])
      const mode = FAIL_MODES.find((one) => one === body['mode'])
      if (!target || !mode)
        return refuse(`target is one of ${FAIL_TARGETS.join(', ')}; mode of ${FAIL_MODES.join(', ')}`)
      const retryAfterSeconds = numberField(body, 'retry_after')
      control.fail({
        target,
        mode,
        times: numberField(body, 'times') ?? 1,
        delayMs: numberField(body, 'delay_ms') ?? 1000,
        ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
      })
      return json({})
    }
    case 'POST /sandbox/settings': {
      const strict = body['strict_rotation']
      const seconds = numberField(body, 'access_token_seconds')
      const units = numberField(body, 'units_per_minute')
      const replaces = body['replaces_message_ids']
      control.configure({
        ...(units === undefined ? {} : { unitsPerMinute: units }),
        ...(typeof replaces === 'boolean' ? { replacesMessageIds: replaces } : {}),
        ...(typeof strict === 'boolean' ? { strictRotation: strict } : {}),
        ...(seconds === undefined ? {} : { accessTokenSeconds: seconds }),
      })
      return json({
        strict_rotation: state.strictRotation,
        access_token_seconds: state.accessTokenSeconds,
        units_per_minute: state.unitsPerMinute ?? 0,
        replaces_message_ids: state.replacesMessageIds,
      })
    }
    case 'POST /sandbox/expire-pages':
      control.expirePageTokens()
      return json({})
    case 'POST /sandbox/deliver': {
      const source = stringField(body, 'source')
      if (email === undefined || !state.users.has(email)) return refuse('email must be one of a sandbox user')
      if (source === undefined) return refuse('source is required: the message as RFC 5322 text')
      return json({ id: control.deliver(email, source) })
    }
    case 'POST /sandbox/send-as': {
      const alias = stringField(body, 'alias')
      const displayName = stringField(body, 'display_name')
      if (email === undefined || !state.users.has(email)) return refuse('email must be one of a sandbox user')
      if (alias === undefined) return refuse('alias is required')
      control.addSendAs(email, {
        email: alias,
        isVerified: body['verified'] !== false,
        ...(displayName === undefined ? {} : { displayName }),
      })
      return json({})
    }
    case 'GET /sandbox/log':
      return json({ token_calls: control.tokenLog() })
    case 'GET /sandbox/service-account':
      return json(control.serviceAccountKey())
    default:
      return undefined
  }
}

function refuse(message: string): SandboxReply {
  return json({ error: message }, 400)
}
