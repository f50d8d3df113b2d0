import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type FakeConsent, startFakeConsent } from './fake-consent.ts'
import { CLIENT, context, parametersOf, type Query, redirectOf } from './hosted-world.ts'
import { type ModuleWorld, startModuleWorld } from './module-world.ts'

const ISSUER = 'https://accounts.google.example'
let provider: FakeConsent
let world: ModuleWorld
before(async () => {
  provider = await startFakeConsent()
  world = await startModuleWorld(provider.environment, (modules) => {
    const google = modules.get('google')
    assert.ok(google?.authorization)
    return [{ ...google, authorization: { ...google.authorization, issuer: ISSUER } }]
  })
  const settings = { client_id: 'client', client_secret: 'secret' }
  await world.services.connectors.create(world.caller, { provider: 'google', settings })
})
after(async () => {
  await world.stop()
  await provider.stop()
})

async function answerWith(query: Query): Promise<Query> {
  const { hosted } = world.services
  const { step, session } = await hosted.start({ ...world.query, provider: 'google' }, CLIENT, context())
  const answer = { ...provider.consent(redirectOf(step).href, { email: 'ada@corp.example' }), ...query }
  const shown = await hosted.callback(answer, session?.browserSecret ?? null, CLIENT, context())
  return parametersOf(redirectOf(shown.step))
}

test('takes an answer whose issuer is the provider’s, and trades no code of another’s', async () => {
  assert.ok((await answerWith({ iss: ISSUER }))['code'])
  const before = provider.exchanges()
  for (const iss of ['https://evil.example', `${ISSUER}/`, ISSUER.toUpperCase()]) {
    assert.equal((await answerWith({ iss }))['error'], 'server_error')
  }
  assert.equal(provider.exchanges(), before)
  assert.ok((await answerWith({}))['code'])
})
