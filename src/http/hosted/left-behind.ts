import { createHmac, timingSafeEqual } from 'node:crypto'
import { type Static, Type } from 'typebox'
import type { HostedStep, SessionHandle } from '../../core/ports/oauth-services.ts'
import { parseJson } from '../../kit/json.ts'
import { checkShape } from '../../kit/shape.ts'

/**
 * What a form has left behind for the session's page: what was typed, but for passwords, and what is wrong with it. It
 * is carried by a cookie over the redirect after the form, so that going back or reloading sends nothing again, and any
 * process can answer. The browser's secret signs it: only that browser can have it, and only for that session.
 */
const LeftBehind = Type.Object({
  error: Type.Optional(Type.String()),
  /** what is in the fields, by name */
  values: Type.Record(Type.String(), Type.String()),
  /** what is wrong with them */
  errors: Type.Record(Type.String(), Type.String()),
  /** fields that are shown at once though they are seldom needed */
  shown: Type.Array(Type.String()),
  panels: Type.Array(Type.Union([Type.Literal('providers'), Type.Literal('detect')])),
})

type LeftBehind = Readonly<Static<typeof LeftBehind>>

/** Browsers keep no cookie longer than 4096 bytes (RFC 6265bis section 5.6), its attributes apart. */
const MOST_CHARACTERS = 3800
const ADDRESS = 'email'

/** Writes what a step holds beyond the session's own page; null where it is too much for a cookie. */
export function writeLeftBehind(step: HostedStep, session: SessionHandle): string | null {
  const text = Buffer.from(JSON.stringify(leftBehindOf(step))).toString('base64url')
  const signed = `${text}.${sign(text, session)}`
  return signed.length <= MOST_CHARACTERS ? signed : null
}

/** Puts what a form has left behind into the step of the session's page; what is not ours changes nothing. */
export function withLeftBehind(step: HostedStep, cookie: string | null, session: SessionHandle): HostedStep {
  const left = cookie === null ? null : readLeftBehind(cookie, session)
  if (!left) return step
  const error = left.error === undefined ? {} : { error: left.error }
  if (step.kind === 'choose') {
    const loginHint = left.values[ADDRESS] ?? step.loginHint
    return { ...step, ...error, loginHint, panels: left.panels.length > 0 ? left.panels : step.panels }
  }
  if (step.kind !== 'form') return step
  return {
    ...step,
    ...error,
    fields: step.fields.map((field) => {
      const problem = left.errors[field.name]
      return {
        ...field,
        value: field.type === 'password' ? '' : (left.values[field.name] ?? field.value),
        advanced: field.advanced && !left.shown.includes(field.name),
        ...(problem === undefined ? {} : { error: problem }),
      }
    }),
  }
}

function leftBehindOf(step: HostedStep): LeftBehind {
  const nothing = { values: {}, errors: {}, shown: [], panels: [] }
  if (step.kind === 'stop' || step.kind === 'redirect') return nothing
  const error = step.error === undefined ? {} : { error: step.error }
  if (step.kind === 'choose') {
    return { ...nothing, ...error, values: { [ADDRESS]: step.loginHint }, panels: [...step.panels] }
  }
  const typed = step.fields.filter(({ type, value }) => type !== 'password' && value !== '')
  const wrong = step.fields.flatMap((field) =>
    field.error === undefined ? [] : [[field.name, field.error] as const],
  )
  return {
    ...nothing,
    ...error,
    values: Object.fromEntries(typed.map(({ name, value }) => [name, value])),
    errors: Object.fromEntries(wrong),
    shown: step.fields.filter(({ advanced }) => !advanced).map(({ name }) => name),
  }
}

function readLeftBehind(cookie: string, session: SessionHandle): LeftBehind | null {
  const [text = '', signature = ''] = cookie.split('.')
  const [expected, given] = [Buffer.from(sign(text, session)), Buffer.from(signature)]
  if (expected.length !== given.length || !timingSafeEqual(expected, given)) return null
  const shape = checkShape(LeftBehind, parseJson(Buffer.from(text, 'base64url').toString()), 'cookie')
  return shape.ok ? shape.value : null
}

function sign(text: string, { id, browserSecret }: SessionHandle): string {
  return createHmac('sha256', browserSecret).update(`left:${id}:${text}`).digest('base64url')
}
