import { invalidArgument, json, notFound } from './reply.ts'
import { type Caller, holds, missingScope } from './caller.ts'
import type { SandboxReply, SandboxRequest } from './types.ts'

/** Answers people/me/connections of the People API. */
export function peopleApi(caller: Caller, request: SandboxRequest): SandboxReply {
  if (!holds(caller, ['contacts', 'contacts.readonly'])) return missingScope()
  if (request.url.pathname !== '/v1/people/me/connections') return notFound()
  const query = request.url.searchParams
  if (!query.get('personFields')) return invalidArgument('personFields mask is required.')
  const start = Number(query.get('pageToken') ?? 0)
  const size = Number(query.get('pageSize') ?? 100)
  if (!Number.isInteger(start) || !Number.isInteger(size) || size < 1) return invalidArgument('Invalid page.')
  const { contacts } = caller.user
  const end = start + size
  return json({
    connections: contacts.slice(start, end),
    totalPeople: contacts.length,
    totalItems: contacts.length,
    ...(end < contacts.length ? { nextPageToken: String(end) } : {}),
  })
}
