import type { FastifyInstance } from 'fastify'
import { StartError } from './start-error.ts'

/** Tells the address a listening server is bound to. @throws StartError while it doesn't listen */
export function boundUrl(http: FastifyInstance): string {
  const address = http.server.address()
  if (typeof address !== 'object' || address === null) throw new StartError('The server has no address.')
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address
  return `http://${host}:${address.port}`
}
