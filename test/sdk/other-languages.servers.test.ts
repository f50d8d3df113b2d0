import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { type LanguageTools, languageTools } from '../support/language-tools.ts'
import { type LanguageWorld, type Printed, startLanguageWorld } from './language-world.ts'
import { replayRecorded } from './replay-recorded.ts'

// The examples and the official SDKs of the other languages, unmodified, against the composed server and the sandbox.
// Where a registry does not have an SDK, its example runs over a stand-in (Java, Kotlin) or is checked for syntax
// (Ruby), and what the real SDK was recorded to send is replayed byte for byte.

const run = promisify(execFile)
const EXAMPLES = join(import.meta.dirname, '..', '..', 'examples')
const LANGUAGES = join(import.meta.dirname, 'languages')

let tools: LanguageTools
let world: LanguageWorld
let scratch: string
before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'grantway-languages-'))
  tools = await languageTools()
  world = await startLanguageWorld()
})
after(async () => {
  await world.stop()
  await rm(scratch, { recursive: true, force: true })
})

test('the Node example connects the mailbox of a refresh token', async () => {
  const printed = await world.run(process.execPath, ['custom-authentication.js'], join(EXAMPLES, 'node'))
  assert.deepEqual(Object.fromEntries(printed), {
    grant: [world.grantId],
    email: [world.email],
    status: ['valid'],
  })
})

test('the Python example gets an access token', async () => {
  const parameters = ['-B', 'custom_authentication.py']
  await assertAccessToken(await world.run(tools.python, parameters, join(EXAMPLES, 'python')))
})

test('the Python SDK: every call of authentication, grants and webhooks', async () => {
  await assertCalls(await world.run(tools.python, ['-B', 'sdk_calls.py'], LANGUAGES))
})

test('the Ruby example is right in its syntax, and runs where Ruby has the SDK', async (t) => {
  for (const [folder, file] of [
    [join(EXAMPLES, 'ruby'), 'custom_authentication.rb'],
    [LANGUAGES, 'sdk_calls.rb'],
  ] as const) {
    const { stdout } = await run('ruby', ['-wc', file], { cwd: folder })
    assert.equal(stdout.trim(), 'Syntax OK')
  }
  if (!tools.rubyHasSdk) {
    t.diagnostic('Ruby has no gem nylas here: not run, its requests are replayed')
    return
  }
  await assertAccessToken(await world.run('ruby', ['custom_authentication.rb'], join(EXAMPLES, 'ruby')))
  await assertCalls(await world.run('ruby', ['sdk_calls.rb'], LANGUAGES))
})

test('the Ruby SDK: every recorded request', async () => {
  const names = await replayRecorded(world, 'ruby-6.8.0.http')
  assert.equal(names.length, 21)
})

test('the Java example gets an access token', async (t) => {
  if (tools.javaSdk !== undefined) {
    await assertAccessToken(await mavenExample('java'))
    return
  }
  t.diagnostic('the registry has no com.nylas.sdk:nylas: run over a stand-in, its requests are replayed')
  const classes = join(scratch, 'java')
  await run('javac', ['--release', '11', '-d', classes, ...STAND_IN, javaExample()])
  await assertAccessToken(await world.run('java', ['-cp', classes, 'CustomAuthentication'], scratch))
})

test('the Kotlin example gets an access token', async (t) => {
  if (tools.javaSdk !== undefined) {
    await assertAccessToken(await mavenExample('kotlin'))
    return
  }
  t.diagnostic('the registry has no com.nylas.sdk:nylas: run over a stand-in')
  const compiler = await tools.kotlinCompiler()
  const library = compiler.split(delimiter).find((jar) => /kotlin-stdlib-[\d.]+\.jar$/.test(jar))
  assert.ok(library)
  const classes = join(scratch, 'kotlin')
  const path = [classes, library].join(delimiter)
  await run('javac', ['--release', '11', '-d', classes, ...STAND_IN])
  const source = join(EXAMPLES, 'kotlin/src/main/kotlin/CustomAuthentication.kt')
  const main = 'org.jetbrains.kotlin.cli.jvm.K2JVMCompiler'
  await run('java', ['-cp', compiler, main, '-no-stdlib', '-no-reflect', '-cp', path, '-d', classes, source])
  await assertAccessToken(await world.run('java', ['-cp', path, 'CustomAuthenticationKt'], scratch))
})

test('the Java SDK: every recorded request, and every call where the registry has it', async (t) => {
  const names = await replayRecorded(world, 'java-2.18.1.http')
  assert.equal(names.length, 22)
  if (tools.javaSdk === undefined) {
    t.diagnostic('the registry has no com.nylas.sdk:nylas: its requests were replayed only')
    return
  }
  const classes = join(scratch, 'calls')
  await run('javac', ['-cp', tools.javaSdk, '-d', classes, join(LANGUAGES, 'SdkCalls.java')])
  const path = [classes, tools.javaSdk].join(delimiter)
  await assertCalls(await world.run('java', ['-cp', path, 'SdkCalls'], scratch))
})

const STAND_IN = [
  'NylasClient',
  'resources/Auth',
  'models/TokenExchangeRequest',
  'models/CodeExchangeResponse',
].map((name) => join(LANGUAGES, 'stand-in/com/nylas', `${name}.java`))

const javaExample = () => join(EXAMPLES, 'java/src/main/java/CustomAuthentication.java')

/** Runs an example as its README says, in a folder of its own. */
async function mavenExample(language: 'java' | 'kotlin'): Promise<Printed> {
  const folder = join(scratch, `maven-${language}`)
  await cp(join(EXAMPLES, language), folder, { recursive: true })
  return world.run('mvn', ['-B', '-q', 'compile', 'exec:java'], folder)
}

/** What the examples of refreshing print. */
async function assertAccessToken(printed: Printed): Promise<void> {
  assert.deepEqual(printed.get('grant'), [world.grantId])
  assert.deepEqual(printed.get('seconds'), ['3600'])
  const [, token = ''] = printed.get('access') ?? []
  const me = await world.app.call('GET', '/v3/grants/me', undefined, { authorization: `Bearer ${token}` })
  assert.deepEqual([me.status, me.body.data?.id], [200, world.grantId])
}

/** What every sdk_calls prints. */
async function assertCalls(printed: Printed): Promise<void> {
  const { app, clientId, grantId, email } = world
  const lower = (name: string) => (printed.get(name) ?? []).map((value) => value.toLowerCase())
  const [webhook = ''] = printed.get('webhook_list') ?? []
  for (const [name, values] of [
    ['custom_authentication', [grantId, 'google', email, 'valid']],
    ['refresh_provider_token', [grantId, '3600']],
    ['exchange', [grantId, '3600', email, 'Bearer', 'google']],
    ['pkce_exchange', [grantId]],
    ['refresh', [grantId, '3600', 'true']],
    ['id_token_info', [app.url, clientId, grantId, email, '3600']],
    ['access_token_info', [app.url, clientId, grantId, email, '3600']],
    ['revoke', ['true']],
    ['revoke_again', ['invalid_token', '400', '400']],
    ['refresh_revoked', ['invalid_grant', '400', '400']],
    ['exchange_used', ['invalid_grant', '400', '400']],
    ['detect', ['someone@gmail.com', 'true', 'google']],
    ['grants_list', [grantId]],
    ['grants_find', [email]],
    ['webhook_create', [webhook, 'active', '32', 'grant.created', 'grant.expired']],
    ['webhook_update', ['changed']],
    ['webhook_rotate', [webhook, 'true']],
    ['webhook_destroy', ['true', '0']],
  ] as const) {
    assert.deepEqual(
      lower(name),
      values.map((value) => value.toLowerCase()),
      name,
    )
  }
  // Ruby's SDK has no call with another key.
  if (printed.has('me')) assert.deepEqual(printed.get('me'), [grantId])
  await assertLeadsTo(printed, 'oauth2_url', '/o/oauth2/v2/auth')
  await assertLeadsTo(printed, 'pkce_url', '/o/oauth2/v2/auth')
  await assertLeadsTo(printed, 'admin_url', '/organizations/adminconsent')
}

/** An address that an SDK built is taken, and the browser sent to the provider. */
async function assertLeadsTo(printed: Printed, name: string, path: string): Promise<void> {
  const [url = ''] = printed.get(name) ?? []
  const answer = await fetch(url, { redirect: 'manual' })
  const location = answer.headers.get('location')
  assert.ok(location !== null, `${name}: ${answer.status} ${await answer.text()}`)
  assert.equal(new URL(location).pathname, path, `${name}: ${location}`)
}
