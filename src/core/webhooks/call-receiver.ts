import type { HttpClient, HttpRequest, HttpResponse } from '../../kit/outbound/http-client.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import { invalidWebhook } from './webhook-input.ts'

/**
 * Sends one request to an address that a client of ours has named, through the egress guard.
 * @throws AppError `webhook.invalid` that says why there is no answer
 */
export async function callReceiver(
  userHosts: HttpClient,
  request: HttpRequest,
  failure: string,
): Promise<HttpResponse> {
  try {
    return await userHosts.request(request)
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error
    throw invalidWebhook(`${failure}: ${reasonOf(error, request)}`)
  }
}

function reasonOf(error: ProviderError, { url, timeoutMs, maxBytes }: HttpRequest): string {
  if (error.kind === 'timeout') return `no answer within ${timeoutMs / 1000} s`
  if (error.kind === 'malformed-response') return `its answer is over ${maxBytes} bytes`
  if (error.kind === 'invalid-request' && new URL(url).protocol === 'http:') {
    return 'it must be an https URL with a public address'
  }
  return error.message
}
