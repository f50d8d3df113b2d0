// A program: the least a server between a client and Graph can be. `node graph-list-proxy.ts <upstream>`.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Agent, request as send } from 'undici'

const upstream = process.argv[2] ?? ''
const dispatcher = new Agent({ connections: 128 })

const server = createServer((request, response) => {
  const { authorization = '' } = request.headers
  send(`${upstream}${request.url}`, { dispatcher, headers: { authorization } })
    .then(async ({ statusCode, headers, body }) => {
      response.writeHead(statusCode, { 'content-type': String(headers['content-type']) })
      response.end(Buffer.from(await body.arrayBuffer()))
    })
    .catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined))
})
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  console.log(JSON.stringify({ event: 'listening', url: `http://127.0.0.1:${port}` }))
})
process.once('SIGTERM', () => process.exit(0))
