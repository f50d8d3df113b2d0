import type { ProviderName } from '../../contract/providers.ts'
import type { Telemetry } from '../../core/ports/telemetry.ts'
import { isGivenUp } from '../../kit/deadline.ts'
import type { HttpClient, HttpRequest } from '../../kit/outbound/http-client.ts'
import { ProviderError } from '../../kit/provider-error.ts'

type CallStatus = Parameters<Telemetry['calledProvider']>[0]['status']

/** A provider's view of the shared client: every call is counted as that provider's. */
export function observedHttp(http: HttpClient, provider: ProviderName, telemetry: Telemetry): HttpClient {
  const observed = async <R extends { readonly status: number }>(
    request: HttpRequest,
    send: (request: HttpRequest) => Promise<R>,
  ): Promise<R> => {
    const startedMs = performance.now()
    const tell = (status: CallStatus) =>
      telemetry.calledProvider({ provider, status, durationMs: performance.now() - startedMs })
    try {
      const response = await send(request)
      tell(response.status)
      return response
    } catch (error) {
      tell(statusOf(error, request))
      throw error
    }
  }
  return {
    request: (request) => observed(request, (sent) => http.request(sent)),
    stream: (request) => observed(request, (sent) => http.stream(sent)),
    close: () => http.close(),
  }
}

function statusOf(error: unknown, { signal }: HttpRequest): CallStatus {
  if (error instanceof ProviderError && error.details.httpStatus !== undefined) {
    return error.details.httpStatus
  }
  if (isGivenUp(signal)) return 'cancelled'
  return error instanceof ProviderError && error.kind === 'timeout' ? 'timeout' : 'unreachable'
}
