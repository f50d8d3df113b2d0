export interface JudgedRequest {
  readonly method: string
  readonly url: string
  readonly headers?: { readonly [name: string]: string }
  readonly body?: unknown
}
export function validateRequest(request: JudgedRequest): string[]
export function judgeRequest(request: JudgedRequest): {
  readonly verdict: 'known' | 'violation' | 'unknown'
  readonly problems: readonly string[]
}
