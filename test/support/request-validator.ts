import { isJsonObject, parseJson } from '../../src/kit/json.ts'
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
      // Large sources would stay in memory for as long as the tests run.
      seen.push(
        request.bytes.length > 1024 * 1024 ? { ...request, body: '', bytes: Buffer.alloc(0) } : request,
      )
      const url = realAddress(new URL(request.url))
      if (!url) return
      const problems = [
        ...judge(request, url),
        ...(url.includes('/upload/') ? judgeUpload(request, url) : []),
      ]
      if (problems.length === 0) known += 1
      else violations.push(...problems.map((problem) => `${request.method} ${url}: ${problem}`))
    },
  }
}

function judge({ method, headers, body }: SeenRequest, url: string): readonly string[] {
  if (body === '' || url.includes('/batch/')) {
    return judgeRequest({ method, url, headers, ...(body === '' ? {} : { body }) }).problems
  }
  const json = parseJson(body)
  if (json === undefined) return ['the body is no JSON']
  const isJson = headers['content-type']?.startsWith('application/json') === true
  const problems = judgeRequest({ method, url, headers, body: json }).problems
  return isJson ? problems : [...problems, 'a JSON body without its content type']
}

/** The description knows the address of an upload; its form and its metadata are looked at here. */
function judgeUpload({ method, headers, bytes }: SeenRequest, url: string): readonly string[] {
  const type = headers['content-type'] ?? ''
  const plain = new URL(url)
  const form = plain.searchParams.get('uploadType')
  if (form === 'media') return type === 'message/rfc822' ? [] : [`an upload of ${type}`]
  if (form !== 'multipart') return [`an upload of the form ${form}`]
  const [, quoted, bare] = /^multipart\/related;\s*boundary=(?:"([^"]+)"|([^\s;"]+))/.exec(type) ?? []
  const boundary = quoted ?? bare
  if (boundary === undefined) return ['a multipart upload without a boundary']
  const text = Buffer.from(bytes).toString('latin1')
  const [before, first, second, after] = text.split(`--${boundary}`)
  if (before !== '' || !after?.startsWith('--')) return ['a multipart upload needs two parts']
  const [, metadata] =
    /^\r\nContent-Type: application\/json[^\r]*\r\n\r\n([\s\S]*)\r\n$/.exec(first ?? '') ?? []
  const json = parseJson(Buffer.from(metadata ?? '', 'latin1').toString('utf8'))
  if (!isJsonObject(json)) return ['the first part of an upload is JSON']
  if (!second?.startsWith('\r\nContent-Type: message/rfc822\r\n\r\n'))
    return ['the second part is message/rfc822']
  plain.pathname = plain.pathname.replace(/^\/upload/, '')
  plain.searchParams.delete('uploadType')
  return judgeRequest({ method, url: plain.href, headers: {}, body: json }).problems
}

/** The address at Google that a sandbox address stands for; undefined for those no description covers. */
function realAddress({ pathname, search }: URL): string | undefined {
  if (['/token', '/revoke', '/v1/userinfo'].includes(pathname)) return undefined
  if (pathname.startsWith('/calendar/')) return `https://www.googleapis.com${pathname}${search}`
  if (pathname.startsWith('/v1/')) return `https://people.googleapis.com${pathname}${search}`
  return `https://gmail.googleapis.com${pathname}${search}`
}
