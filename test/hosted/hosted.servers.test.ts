import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { addressOf, imapProvider } from '../providers/imap-world.ts'
import { startDovecot, type TestDovecot } from '../support/dovecot.ts'
import { startOAuthServer, type TestOAuthServer } from '../support/oauth-server.ts'
import {
  CLIENT,
  context,
  formOf,
  type HostedWorld,
  type Query,
  redirectOf,
  sessionOf,
  startHostedWorld,
} from './hosted-world.ts'
import { type ModuleWorld, startModuleWorld } from './module-world.ts'

let mail: TestDovecot
let oauth: TestOAuthServer
let app: HostedWorld
let forms: ModuleWorld
let imap: ReturnType<typeof imapProvider>
before(async () => {
  mail = await startDovecot()
  oauth = await startOAuthServer()
  app = await startHostedWorld({
    GRANTWAY_YAHOO_AUTHORIZE_URL: oauth.authorizeUrl,
    GRANTWAY_YAHOO_TOKEN_URL: oauth.tokenUrl,
    GRANTWAY_YAHOO_USERINFO_URL: oauth.userinfoUrl,
  })
  imap = imapProvider(mail)
  forms = await startModuleWorld({}, () => [imap])
  await forms.services.connectors.create(forms.caller, { provider: 'imap' })
})
after(async () => {
  await forms.stop()
  await imap.close()
  await app.stop()
  await oauth.stop()
  await mail.stop()
})

/** A browser without pages: follows redirects on the provider's side until one leads to our callback. */
async function walkThrough(url: URL): Promise<Query> {
  const cookies = new Map<string, string>()
  // OpenID Connect Core 1.0 section 11: no offline access there without being asked.
  url.searchParams.set('prompt', 'consent')
  for (let at = url, hops = 0; hops < 10; hops += 1) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await fetch(at, { redirect: 'manual', headers: { cookie } })
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      cookies.set(name, value)
    }
    const location = answer.headers.get('location')
    assert.ok(location, `${answer.status} ${await answer.text()}`)
    at = new URL(location, at)
    if (at.pathname === '/v3/connect/callback') return Object.fromEntries(at.searchParams)
  }
  throw new Error('the provider sends the browser round and round')
}

async function credential(): Promise<string> {
  const made = await app.app.call('POST', '/v3/connectors/yahoo/creds', {
    name: 'oidc-provider',
    credential_type: 'connector',
    credential_data: { client_id: 'basic-app', client_secret: 'basic-app-secret' },
  })
  return made.body.data.id
}

test('signs in at a certified OpenID provider, whose rotated refresh tokens are kept', async () => {
  const scope = 'offline_access mail'
  const query = { provider: 'yahoo', scope, credential_id: await credential(), state: 's' }
  const connect = async (login_hint: string) => {
    const { step, session } = await app.start({ ...query, login_hint })
    return redirectOf(await app.callback(await walkThrough(redirectOf(step)), session))
  }
  const home = await connect('hosted@testworld.example')
  assert.ok(home.searchParams.get('code'), home.href)
  const find = async () => (await app.app.call('GET', '/v3/grants?email=hosted@testworld.example')).body.data
  const [grant] = await find()
  assert.deepEqual([grant.provider, grant.grant_status], ['yahoo', 'valid'])
  assert.ok((await connect('hosted@testworld.example')).searchParams.get('code'))
  assert.deepEqual(
    (await find()).map(({ id }: { readonly id: string }) => id),
    [grant.id],
  )
  const denied = await connect('deny@testworld.example')
  assert.deepEqual(
    [denied.searchParams.get('error'), denied.searchParams.get('state')],
    ['access_denied', 's'],
  )
})

test('signs in to a real mail server by the form, and says when it refuses', async () => {
  const start = async () =>
    sessionOf(
      await forms.services.hosted.start(
        { ...forms.query, provider: 'imap', options: 'smtp_required' },
        CLIENT,
        context(),
      ),
    )
  const submit = async (session: Awaited<ReturnType<typeof start>>, fields: Query) =>
    (await forms.services.hosted.submit(session, fields, CLIENT, context())).step
  const fields = {
    imap_username: addressOf('alice'),
    imap_password: 'alice-pass',
    imap_host: mail.host,
    imap_port: String(mail.imapPort),
    smtp_host: mail.host,
    smtp_port: String(mail.smtpStarttlsPort),
  }
  const session = await start()
  const refused = formOf(await submit(session, { ...fields, imap_password: 'wrong' }))
  assert.match(refused.error ?? '', /refused the user name or password/)
  const plain = formOf(await submit(session, { ...fields, smtp_port: String(mail.smtpPlainPort) }))
  assert.match(plain.error ?? '', /SMTP/)
  assert.ok(redirectOf(await submit(session, fields)).searchParams.get('code'))
})
