import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { AdminCommandFailed, callAdminSocket, NoRunningServer } from '../../src/app/admin-socket/client.ts'
import { type AdminSocket, startAdminSocket } from '../../src/app/admin-socket/server.ts'
import type { AdminCommand } from '../../src/app/commands.ts'

const root = mkdtempSync(join(tmpdir(), 'gw-admin-'))
const started: AdminSocket[] = []
after(async () => {
  // a failed test leaves its socket open, which would keep the process alive
  for (const socket of started) await socket.stop()
  rmSync(root, { recursive: true })
})

async function start(...options: Parameters<typeof startAdminSocket>): Promise<AdminSocket> {
  const socket = await startAdminSocket(...options)
  started.push(socket)
  return socket
}

let folders = 0
function folder(suffix = ''): string {
  folders += 1
  const path = join(root, `${folders}${suffix}`)
  mkdirSync(path)
  return path
}

const echo = (command: AdminCommand): Promise<unknown> => Promise.resolve(command)

test('carries a command to the server and its result back', async () => {
  const dataDir = folder()
  const socket = await start({ dataDir, handle: echo })
  const commands: readonly AdminCommand[] = [
    { name: 'keys.create', keyName: 'ci', applicationId: 'a' },
    { name: 'keys.list' },
    { name: 'keys.revoke', id: 'k' },
    { name: 'apps.create', appName: 'Müller', id: 'x' },
    { name: 'apps.list' },
    { name: 'doctor.grants' },
    { name: 'rotation.begin', under: 'k1' },
    { name: 'rotation.rewrap' },
    { name: 'audit.list', limit: 5, action: 'grant.created', since: 1, beforeSeq: 9 },
  ]
  for (const command of commands) assert.deepEqual(await callAdminSocket(dataDir, command), command)
  await socket.stop()
})

test('is open to its owner only', async () => {
  const socket = await start({ dataDir: folder(), handle: echo })
  assert.equal(statSync(socket.path).mode & 0o777, 0o600)
  await socket.stop()
})

test('says so when no server runs, and leaves nothing behind after stop', async () => {
  const dataDir = folder()
  await assert.rejects(callAdminSocket(dataDir, { name: 'apps.list' }), NoRunningServer)
  const socket = await start({ dataDir, handle: echo })
  await socket.stop()
  assert.deepEqual(readdirSync(dataDir), [])
  await assert.rejects(callAdminSocket(dataDir, { name: 'apps.list' }), NoRunningServer)
})

test('removes the stale socket of a dead server', async () => {
  const dataDir = folder()
  writeFileSync(join(dataDir, 'admin.sock'), '')
  await assert.rejects(callAdminSocket(dataDir, { name: 'apps.list' }), NoRunningServer)
  const socket = await start({ dataDir, handle: echo })
  assert.deepEqual(await callAdminSocket(dataDir, { name: 'apps.list' }), { name: 'apps.list' })
  await socket.stop()
})

test('moves to the temporary folder when the path is too long for a socket', async () => {
  const dataDir = folder('-long'.repeat(30))
  const first = await start({ dataDir, handle: echo })
  assert.ok(!first.path.startsWith(dataDir))
  assert.deepEqual(await callAdminSocket(dataDir, { name: 'apps.list' }), { name: 'apps.list' })
  // a second start, as after kill -9 of the first, takes away what the first one left
  const second = await start({ dataDir, handle: echo })
  assert.ok(!existsSync(first.path))
  assert.deepEqual(await callAdminSocket(dataDir, { name: 'apps.list' }), { name: 'apps.list' })
  await second.stop()
  await first.stop()
  assert.deepEqual(readdirSync(dataDir), [])
  assert.ok(!existsSync(second.path))
})

test('shows the words of a failed command', async () => {
  const dataDir = folder()
  const socket = await start({
    dataDir,
    handle: () => Promise.reject(new Error('there is no key k')),
  })
  await assert.rejects(callAdminSocket(dataDir, { name: 'keys.revoke', id: 'k' }), (error) => {
    assert.ok(error instanceof AdminCommandFailed)
    assert.equal(error.message, 'there is no key k')
    return true
  })
  await socket.stop()
})

test('refuses what is no command of ours', async () => {
  const socket = await start({ dataDir: folder(), handle: echo })
  const bodies = ['', 'x', '[]', '{"name":"keys.create"}', '{"name":"drop"}', '{"name":"keys.revoke","id":1}']
  bodies.push('{"name":"rotation.step","state":{}}', '{"name":"audit.list"}')
  for (const body of bodies) assert.equal(await statusOf(socket.path, body), 400, body)
  assert.equal(await statusOf(socket.path, 'x'.repeat(17 * 1024 * 1024)), 413)
  await socket.stop()
})

function statusOf(socketPath: string, body: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, method: 'POST' }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}
