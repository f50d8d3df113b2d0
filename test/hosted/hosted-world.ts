import assert from 'node:assert/strict'
import type { HostedService, HostedStep, SessionHandle } from '../../src/core/ports/oauth-services.ts'
import { type GrantwayApp, type MovableClock, startGrantway } from '../support/grantway-app.ts'
import { type FakeConsent, startFakeConsent } from './fake-consent.ts'

export const REDIRECT = 'https://app.example/cb'
export const WITH_QUERY = 'https://app.example/cb?tenant=a%2Fb&x=1'
export const DESKTOP = 'http://127.0.0.1:3000/desktop'
export const DEEP_LINK = 'com.example.app://oauth/cb'
export const GMAIL = 'https://www.googleapis.com/auth/gmail.modify'
export const CLIENT = { ip: '203.0.113.9', userAgent: 'a browser' }
export const FOR_SIGN_IN = [
  'openid',
  'https://www.googleapis.com/auth/userinfo.email',
  'https://www.googleapis.com/auth/userinfo.profile',
]

export type Query = { readonly [name: string]: string }

/** The composed server with connectors for google and yahoo at a stand-in, and for imap and icloud. */
export interface HostedWorld {
  readonly app: GrantwayApp
  readonly provider: FakeConsent
  readonly hosted: HostedService
  readonly clientId: string
  /** `GET /v3/connect/auth` with what every request has, and what a test wants to be different. */
  start(query?: Query, client?: Parameters<HostedService['start']>[1]): ReturnType<HostedService['start']>
  /** From the start over the provider's page to the answer for the application. */
  connect(query: Query, consent: Parameters<FakeConsent['consent']>[1]): Promise<URL>
  callback(query: Query, session: SessionHandle | null): Promise<HostedStep>
  stop(): Promise<void>
}

export const context = () => ({ requestId: 'test', signal: AbortSignal.timeout(20_000) })

export async function startHostedWorld(
  environment: { readonly [name: string]: string } = {},
  options: Parameters<typeof startGrantway>[1] = {},
): Promise<HostedWorld> {
  const provider = await startFakeConsent()
  const app = await startGrantway({ ...provider.environment, ...environment }, options)
  const { body } = await app.call('GET', '/v3/applications')
  const clientId: string = body.data.application_id
  const made = async (path: string, given: object) => {
    const answer = await app.call('POST', path, given)
    assert.ok([200, 201].includes(answer.status), answer.text)
  }
  await app.call('PATCH', '/v3/applications', {
    additional_settings: { allow_query_param_in_redirect_uri: true },
  })
  const settings = { client_id: 'client', client_secret: 'provider-client-secret' }
  await made('/v3/connectors', { provider: 'google', settings, scope: [GMAIL] })
  await made('/v3/connectors', { provider: 'yahoo', settings })
  await made('/v3/connectors', { provider: 'imap' })
  await made('/v3/connectors', { provider: 'virtual-calendar' })
  await made('/v3/applications/redirect-uris', { url: REDIRECT })
  await made('/v3/applications/redirect-uris', { url: WITH_QUERY })
  await made('/v3/applications/redirect-uris', { url: DESKTOP, platform: 'desktop' })
  await made('/v3/applications/redirect-uris', { url: 'http://[::1]/six', platform: 'desktop' })
  await made('/v3/applications/redirect-uris', { url: 'http://127.0.0.1:3000/web' })
  await made('/v3/applications/redirect-uris', {
    url: DEEP_LINK,
    platform: 'ios',
    settings: { bundle_id: 'com.example.app' },
  })
  const { hosted } = app.application.services
  const world: HostedWorld = {
    app,
    provider,
    hosted,
    clientId,
    start: (query = {}, client = CLIENT) =>
      hosted.start(
        { client_id: clientId, redirect_uri: REDIRECT, response_type: 'code', ...query },
        client,
        context(),
      ),
    async connect(query, consent) {
      const { step, session } = await world.start({ provider: 'google', ...query })
      const answer = provider.consent(redirectOf(step).href, consent)
      return redirectOf(await world.callback(answer, session))
    },
    async callback(query, session) {
      const secret = session?.browserSecret ?? null
      return (await hosted.callback(query, secret, CLIENT, context())).step
    },
    async stop() {
      await app.stop()
      await provider.stop()
    },
  }
  return world
}

export function redirectOf(step: HostedStep): URL {
  assert.equal(step.kind, 'redirect', JSON.stringify(step))
  return new URL(step.kind === 'redirect' ? step.url : '')
}

export function stopOf(step: HostedStep): string {
  assert.equal(step.kind, 'stop', JSON.stringify(step))
  return step.kind === 'stop' ? `${step.status} ${step.type}` : ''
}

export function chooseOf(step: HostedStep) {
  assert.equal(step.kind, 'choose', JSON.stringify(step))
  if (step.kind !== 'choose') throw new Error('not a choice')
  return step
}

export function formOf(step: HostedStep) {
  assert.equal(step.kind, 'form', JSON.stringify(step))
  if (step.kind !== 'form') throw new Error('not a form')
  return step
}

export function sessionOf(started: { readonly session: SessionHandle | null }): SessionHandle {
  assert.ok(started.session)
  return started.session
}

/** The parameters of an address, as an object. */
export const parametersOf = (url: URL) => Object.fromEntries(url.searchParams)

/** Goes to the beginning of a window of every limit, so that none ends in the middle of a test. */
export function startOfWindow(clock: MovableClock): void {
  const windowMs = 600_000
  clock.advance(windowMs - (clock.nowMs() % windowMs) + 1)
}
