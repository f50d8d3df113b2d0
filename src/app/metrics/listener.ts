import { createServer } from 'node:http'
import type { Metrics } from './create-metrics.ts'

/** Neither a slow request nor a slow reader holds a connection longer. */
const EXCHANGE_MS = 5000

/** Serves `/metrics` on a listener of its own, for scrapers that never see the API. */
export async function startMetricsListener(
  metrics: Metrics,
  address: { readonly host: string; readonly port: number },
): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const server = createServer(
    { requestTimeout: EXCHANGE_MS, headersTimeout: EXCHANGE_MS },
    (request, response) => {
      if (request.method !== 'GET' || request.url?.split('?')[0] !== '/metrics') {
        response.writeHead(404).end()
        return
      }
      metrics.render().then(
        (text) => response.writeHead(200, { 'content-type': metrics.contentType }).end(text),
        () => response.writeHead(500).end(),
      )
    },
  )
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(address.port, address.host, resolve)
  })
  const bound = server.address()
  return {
    port: typeof bound === 'object' && bound ? bound.port : address.port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
