import type { SeenRequest } from '../../src/sandbox/start-sandbox.ts'
import { judgeRequest } from './validate-request.mjs'

/** Judges requests that reached the sandbox against Google's own descriptions. */
export interface RequestValidator {
  readonly onRequest: (request: SeenRequest) => void
  /** Everything seen so far, newest last. */
  readonly seen: readonly SeenRequest[]
  /** Sentences about requests that Google would refuse or ignore; empty when all is well. */
  readonly violations: readonly string[]
  /** How many requests fit a description; OAuth addresses have none. */
  knownCount(): number
}

/** Makes a validator; hand its `onRequest` to the sandbox. */
export function createRequestValidator(): RequestValidator {
  const seen: SeenRequest[] = []
  const violations: string[] = []
  let known = 0
  return {
    seen,
    violations,
    knownCount: () => known,
    onRequest(request) {
      seen.push(request)
      const url = realAddress(new URL(request.url))
      if (!url) return
      const isBatch = url.includes('/batch/')
      const { verdict, problems } = judgeRequest({
        method: request.method,
        url,
        headers: request.headers,
        ...(request.body === '' ? {} : { body: isBatch ? request.body : JSON.parse(request.body) }),
      })
      if (verdict === 'known') known += 1
      else violations.push(...problems.map((problem) => `${request.method} ${url}: ${problem}`))
    },
  }
}

/** The address at Google that a sandbox address stands for; undefined for those no description covers. */
function realAddress({ pathname, search }: URL): string | undefined {
  if (['/token', '/revoke', '/v1/userinfo'].includes(pathname)) return undefined
  if (pathname.startsWith('/calendar/')) return `https://www.googleapis.com${pathname}${search}`
  if (pathname.startsWith('/v1/')) return `https://people.googleapis.com${pathname}${search}`
  return `https://gmail.googleapis.com${pathname}${search}`
}
