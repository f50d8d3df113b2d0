import type { Caller } from '../caller.ts'
import { invalidArgument, notFound } from '../reply.ts'
import type { SandboxState } from '../state.ts'
import type { SandboxReply, SandboxRequest } from '../types.ts'
import { type GmailCall, makeCall, READ_SCOPES, refusalWithout } from './call.ts'
import { draftsApi } from './drafts.ts'
import { historyApi } from './history.ts'
import { labelsApi } from './labels.ts'
import { messagesApi } from './messages.ts'
import { threadsApi } from './threads.ts'
import { takeUnits } from './units.ts'

const RESOURCES: { readonly [name: string]: (call: GmailCall) => SandboxReply } = {
  profile,
  settings,
  labels: labelsApi,
  messages: messagesApi,
  threads: threadsApi,
  drafts: draftsApi,
  history: historyApi,
}

/** Answers the Gmail API, by its own address or that of uploads. */
export function gmailApi(state: SandboxState, caller: Caller, request: SandboxRequest): SandboxReply {
  const path = request.url.pathname.replace(/^(\/upload)?\/gmail\/v1\/users\//, '')
  const [mailbox, resource = '', ...rest] = path.split('/').map(decodeURIComponent)
  if (mailbox !== 'me' && mailbox !== caller.user.email) return invalidArgument('Delegation denied')
  const refusal = takeUnits(state, caller.user.email, request.method, path.slice(path.indexOf('/') + 1))
  if (refusal) return refusal
  return RESOURCES[resource]?.(makeCall(state, caller, request, rest)) ?? notFound()
}

function profile(call: GmailCall): SandboxReply {
  const { email, messages, historyId } = call.mailbox
  return (
    refusalWithout(call, [...READ_SCOPES, 'gmail.compose']) ??
    call.shown({
      emailAddress: email,
      messagesTotal: messages.length,
      threadsTotal: new Set(messages.map((message) => message.threadId)).size,
      historyId: String(historyId),
    })
  )
}

function settings(call: GmailCall): SandboxReply {
  if (call.id !== 'sendAs' || call.request.method !== 'GET') return notFound()
  const refusal = refusalWithout(call, ['gmail.settings.basic', 'gmail.modify', 'gmail.readonly'])
  if (refusal) return refusal
  const sendAs = call.mailbox.sendAs.map(({ email, displayName, isVerified }, place) => ({
    sendAsEmail: email,
    displayName,
    ...(place === 0
      ? { isPrimary: true, isDefault: true }
      : { verificationStatus: isVerified ? 'accepted' : 'pending' }),
  }))
  if (call.child === undefined) return call.shown({ sendAs })
  const one = sendAs.find(({ sendAsEmail }) => sendAsEmail === call.child)
  return one ? call.shown(one) : notFound()
}
