import type { ProviderName } from '../../contract/providers.ts'
import type { Telemetry } from '../../core/ports/telemetry.ts'
import { isGivenUp } from '../../kit/deadline.ts'
import type { HttpClient, HttpRequest } from '../../kit/outbound/http-client.ts'
import { ProviderError } from '../../kit/provider-error.ts'

type CallStatus = Parameters<Telemetry['calledProvider']>[0]['status']

/** A provider's view of the shared client: every call is counted as that provider's. */
export function observedHttp(http: HttpClient, provider: ProviderName, telemetry: Telemetry): HttpClient {
  return {
    async request(request) {
      const startedMs = performance.now()
      const tell = (status: CallStatus) =>
        telemetry.calledProvider({ provider, status, durationMs: performance.now() - startedMs })
      try {
        const response = await http.request(request)
        tell(response.status)
        return response
      } catch (error) {
        tell(statusOf(error, request))
        throw error
      }
    },
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
