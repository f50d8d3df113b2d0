import { withDeadline } from '../../kit/deadline.ts'
import { isJsonObject, type JsonObject, parseJson, stringField } from '../../kit/json.ts'

const BEN = { name: 'Ben', email: 'ben@sandbox.example' }

/** One step: a request as a user would make it, and what must be true of the answer. */
interface Step {
  readonly title: string
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly body?: object
  readonly expectStatus: number
  /** @returns lines to show; throws where the answer is not what it must be */
  readonly show: (answer: JsonObject) => readonly string[]
}

export interface WalkDeps {
  readonly url: string
  readonly apiKey: string
  readonly write: (line: string) => void
  /** ends the walk early */
  readonly signal: AbortSignal
  /** What the sandbox knows. */
  readonly sandbox: {
    readonly clientId: string
    readonly clientSecret: string
    readonly email: string
    readonly refreshToken: string
    /** A new refresh token of the same mailbox, as after another consent. */
    mintRefreshToken(): string
    /** The user withdraws consent: every token of the mailbox dies. */
    revokeConsent(): void
  }
}

/**
 * Walks from nothing to a working grant, and on to a revoked and a healed one, through the public API.
 * @returns whether every step worked
 */
export async function walk(deps: WalkDeps): Promise<boolean> {
  const { sandbox, write } = deps
  let grantId = ''
  const connect = (refreshToken: string) => ({
    provider: 'google',
    settings: { refresh_token: refreshToken },
  })
  const show = (answer: JsonObject) => grantLines(answer)
  const steps: readonly (Step | { readonly title: string; readonly act: () => void })[] = [
    {
      title: 'Create a connector: your OAuth app at the provider',
      method: 'POST',
      path: '/v3/connectors',
      body: {
        provider: 'google',
        settings: { client_id: sandbox.clientId, client_secret: sandbox.clientSecret },
        scope: ['openid', 'https://www.googleapis.com/auth/gmail.modify'],
      },
      expectStatus: 201,
      show: (answer) => [`connector: ${text(dataOf(answer), 'name')}`],
    },
    {
      title: 'Make a grant from a refresh token you hold',
      method: 'POST',
      path: '/v3/connect/custom',
      body: connect(sandbox.refreshToken),
      expectStatus: 201,
      show(answer) {
        grantId = text(dataOf(answer), 'id')
        return show(answer)
      },
    },
    {
      title: 'Read its messages, live from the provider',
      method: 'GET',
      path: '/v3/grants/{grant_id}/messages?limit=5',
      expectStatus: 200,
      show: messageLines,
    },
    {
      title: 'Send a message from it',
      method: 'POST',
      path: '/v3/grants/{grant_id}/messages/send',
      body: { to: [BEN], subject: 'Hello from Grantway', body: '<p>Sent by the demo.</p>' },
      expectStatus: 200,
      show: mailLines,
    },
    {
      title: 'Keep a draft at the provider',
      method: 'POST',
      path: '/v3/grants/{grant_id}/drafts',
      body: { to: [BEN], subject: 'Not sent yet', body: '<p>Later.</p>' },
      expectStatus: 200,
      show: mailLines,
    },
    {
      title: 'Read its threads',
      method: 'GET',
      path: '/v3/grants/{grant_id}/threads?limit=3',
      expectStatus: 200,
      show: messageLines,
    },
    {
      title: 'The same mailbox again gives the same grant',
      method: 'POST',
      path: '/v3/connect/custom',
      body: connect(sandbox.refreshToken),
      expectStatus: 201,
      show(answer) {
        same(text(dataOf(answer), 'id'), grantId)
        return show(answer)
      },
    },
    { title: `${sandbox.email} withdraws consent at the provider`, act: () => sandbox.revokeConsent() },
    {
      title: 'The next call says that the grant is dead, and why',
      method: 'GET',
      path: '/v3/grants/{grant_id}/messages?limit=5',
      expectStatus: 401,
      show: (answer) => [JSON.stringify(answer['error'])],
    },
    {
      title: 'So does the grant itself, with advice',
      method: 'GET',
      path: '/v3/grants/{grant_id}',
      expectStatus: 200,
      show(answer) {
        same(text(dataOf(answer), 'grant_status'), 'invalid')
        return show(answer)
      },
    },
  ]
  for (const [at, step] of steps.entries()) {
    write('')
    write(`${at + 1}. ${step.title}`)
    if ('act' in step) step.act()
    else if (!(await runStep(deps, step, grantId))) return false
  }
  const healed: Step = {
    title: 'A new refresh token of the same mailbox heals it: same id, valid again',
    method: 'POST',
    path: '/v3/connect/custom',
    body: connect(sandbox.mintRefreshToken()),
    expectStatus: 201,
    show(answer) {
      same(text(dataOf(answer), 'id'), grantId)
      same(text(dataOf(answer), 'grant_status'), 'valid')
      return show(answer)
    },
  }
  write('')
  write(`${steps.length + 1}. ${healed.title}`)
  return runStep(deps, healed, grantId)
}

async function runStep(
  { url, apiKey, write, signal }: WalkDeps,
  step: Step,
  grantId: string,
): Promise<boolean> {
  const path = step.path.replace('{grant_id}', grantId)
  const body = step.body && JSON.stringify(step.body)
  write(`   ${step.method} ${path}`)
  if (body) write(`   ${body}`)
  const response = await fetch(`${url}${path}`, {
    method: step.method,
    headers: { authorization: `Bearer ${apiKey}`, ...(body ? { 'content-type': 'application/json' } : {}) },
    signal: withDeadline(signal, 30_000),
    ...(body ? { body } : {}),
  })
  const answer = parseJson(await response.text())
  write(`   → ${response.status}`)
  try {
    if (response.status !== step.expectStatus || !isJsonObject(answer)) {
      throw new Error(`expected ${step.expectStatus}, got ${response.status} ${JSON.stringify(answer)}`)
    }
    for (const line of step.show(answer)) write(`     ${line}`)
    return true
  } catch (error) {
    write(`   ✗ ${error instanceof Error ? error.message : String(error)}`)
    return false
  }
}

function dataOf(answer: JsonObject): JsonObject {
  if (isJsonObject(answer['data'])) return answer['data']
  throw new Error('the answer has no data')
}

function text(object: JsonObject, name: string): string {
  const value = stringField(object, name)
  if (value === undefined) throw new Error(`the answer has no ${name}`)
  return value
}

function same(found: string, expected: string): void {
  if (found !== expected) throw new Error(`expected ${expected}, got ${found}`)
}

function grantLines(answer: JsonObject): string[] {
  const grant = dataOf(answer)
  const { reason } = grant
  return [
    `grant ${text(grant, 'id')}  ${text(grant, 'email')}  ${text(grant, 'grant_status')}`,
    ...(isJsonObject(reason)
      ? [`reason: ${text(reason, 'message')}`, `advice: ${text(reason, 'advice')}`]
      : []),
  ]
}

function mailLines(answer: JsonObject): string[] {
  const mail = dataOf(answer)
  return [`${text(mail, 'object')} ${text(mail, 'id')}  ${text(mail, 'subject')}`]
}

function messageLines(answer: JsonObject): string[] {
  const messages = Array.isArray(answer['data']) ? answer['data'].filter(isJsonObject) : []
  if (messages.length === 0) throw new Error('the list is empty')
  return messages.map(
    (message) => `• ${text(message, 'subject')}  (${text(message, 'snippet').slice(0, 48)}…)`,
  )
}
