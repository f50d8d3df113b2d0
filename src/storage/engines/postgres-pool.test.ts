import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { AppError } from '../../kit/app-error.ts'
import { silentLogger } from '../../kit/logger.ts'
import { openPool } from './postgres-pool.ts'

/** A message of the protocol: type, length, content (postgresql.org, chapter 55). */
function message(type: string, content: Buffer): Buffer {
  const head = Buffer.alloc(5, type)
  head.writeInt32BE(content.length + 4, 1)
  return Buffer.concat([head, content])
}

test('survives a server that shuts down in the moment it has become ready', async () => {
  const fatal = 'SFATAL\0C57P01\0Mterminating connection due to administrator command\0\0'
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => {
      socket.end(
        Buffer.concat([
          message('R', Buffer.alloc(4)), // signed in
          message('Z', Buffer.from('I')), // ready
          message('E', Buffer.from(fatal)),
        ]),
      )
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const pool = openPool(`postgres://user@127.0.0.1:${port}/none`, 1, silentLogger)
  const asked = pool.connect().then((client) => client.query('select 1', []).finally(() => client.release()))
  await assert.rejects(asked, (error) => error instanceof AppError && error.status === 503)
  await pool.end()
  server.close()
})
