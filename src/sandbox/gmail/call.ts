import { applyFields } from '../fields-mask.ts'
import { holds, type Caller, missingScope } from '../caller.ts'
import { invalidArgument, json } from '../reply.ts'
import type { SandboxState } from '../state.ts'
import type { SandboxReply, SandboxRequest } from '../types.ts'
import type { Mailbox } from './mailbox.ts'
import type { Format } from './render.ts'

/** One call of the Gmail API, taken apart. */
export interface GmailCall {
  readonly state: SandboxState
  readonly caller: Caller
  readonly mailbox: Mailbox
  readonly request: SandboxRequest
  readonly query: URLSearchParams
  /** What follows the resource's name in the path. */
  readonly id: string | undefined
  readonly child: string | undefined
  readonly childId: string | undefined
  /** Answers, cut down to `fields`. */
  readonly shown: (body: unknown) => SandboxReply
}

/** Takes a call apart. */
export function makeCall(
  state: SandboxState,
  caller: Caller,
  request: SandboxRequest,
  path: readonly (string | undefined)[],
): GmailCall {
  const [id, child, childId] = path
  const query = request.url.searchParams
  const { mailbox } = caller.user
  const shown = (body: unknown) => json(applyFields(body, query.get('fields')))
  return { state, caller, mailbox, request, query, id, child, childId, shown }
}

export const READ_SCOPES = ['gmail.readonly', 'gmail.modify', 'gmail.metadata']

/** The refusal for a caller without one of these scopes. */
export function refusalWithout(call: GmailCall, scopes: readonly string[]): SandboxReply | undefined {
  return holds(call.caller, scopes) ? undefined : missingScope()
}

/** Tells whether the caller may see headers only. */
export function seesMetadataOnly(call: GmailCall): boolean {
  return !holds(call.caller, ['gmail.readonly', 'gmail.modify', 'gmail.compose'])
}

const FORMATS: readonly Format[] = ['minimal', 'metadata', 'full', 'raw']

/** The format that is asked for, or the refusal. */
export function formatOf(call: GmailCall): Format | SandboxReply {
  const wanted = call.query.get('format') ?? 'full'
  const format = FORMATS.find((one) => one === wanted)
  return format ?? invalidArgument('Invalid value at format')
}

/** Tells a refusal from anything else that is an object. */
export function isReply(value: object): value is SandboxReply {
  return 'status' in value && 'body' in value && 'headers' in value
}
