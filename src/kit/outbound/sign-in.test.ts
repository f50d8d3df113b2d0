import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ProviderError, type ProviderErrorKind } from '../provider-error.ts'
import { noteSignIn, type SignIn, type SignInResult } from './sign-in.ts'

const patient = new AbortController().signal

async function noted(error: Error, signal = patient): Promise<readonly SignIn[]> {
  const signIns: SignIn[] = []
  const login = noteSignIn(
    'smtp',
    (signIn) => signIns.push(signIn),
    signal,
    () => Promise.reject(error),
  )
  await assert.rejects(login, error)
  return signIns
}

test('tells what became of a login once, and lets its session or error through', async () => {
  const signIns: SignIn[] = []
  const session = await noteSignIn(
    'imap',
    (signIn) => signIns.push(signIn),
    patient,
    async () => 'session',
  )
  assert.equal(session, 'session')
  assert.deepEqual(
    signIns.map(({ protocol, result }) => [protocol, result]),
    [['imap', 'ok']],
  )
  const rows: readonly (readonly [ProviderErrorKind, SignInResult])[] = [
    ['grant-revoked', 'refused'],
    ['access-refused', 'refused'],
    ['timeout', 'timeout'],
    ['unavailable', 'unreachable'],
    ['invalid-request', 'failed'],
    ['rate-limited', 'failed'],
  ]
  for (const [kind, result] of rows) {
    assert.deepEqual(
      (await noted(new ProviderError(kind, 'no'))).map((signIn) => signIn.result),
      [result],
    )
  }
})

test('a login that nobody waited for says nothing against the server; one whose time was up does', async () => {
  const timeout = new ProviderError('timeout', 'no')
  const result = async (name: string) =>
    (await noted(timeout, AbortSignal.abort(new DOMException('over', name))))[0]?.result
  assert.equal(await result('AbortError'), 'cancelled')
  assert.equal(await result('TimeoutError'), 'timeout')
})

test('needs nobody who listens', async () => {
  assert.equal(await noteSignIn('imap', undefined, patient, async () => 1), 1)
})
