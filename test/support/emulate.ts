import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const HERE = import.meta.dirname
const SEED_REDIRECT = 'http://127.0.0.1:9/cb'
const ENTRY = fileURLToPath(import.meta.resolve('emulate/cli'))
const SCOPES = {
  google:
    'openid email https://www.googleapis.com/auth/gmail.modify https://www.googleapis.com/auth/calendar',
  microsoft: 'openid email offline_access User.Read Mail.ReadWrite Calendars.ReadWrite',
}

export interface EmulatedService {
  readonly url: string
  readonly clientId: string
  readonly clientSecret: string
  readonly tokenUrl: string
}

export interface Emulator {
  readonly google: EmulatedService
  readonly microsoft: EmulatedService
  /** Walks the authorization-code flow as a browser would. @returns the token answer */
  mint(service: 'google' | 'microsoft', email: string): Promise<{ readonly [field: string]: unknown }>
  stop(): Promise<void>
}

/**
 * Starts `emulate` (Google and Microsoft OAuth, Gmail) on two free loopback ports.
 * @param redirectUri  registered with its clients instead of the seed's third one
 */
export async function startEmulator({ redirectUri = SEED_REDIRECT } = {}): Promise<Emulator> {
  const port = await freePortPair()
  const folder = await mkdtemp(join(tmpdir(), 'grantway-emulate-'))
  const seed = join(folder, 'seed.yaml')
  const text = await readFile(join(HERE, 'testworld', 'emulate-seed.yaml'), 'utf8')
  await writeFile(seed, text.replaceAll(SEED_REDIRECT, redirectUri))
  const child = spawn(
    process.execPath,
    [
      '--require',
      join(HERE, 'testworld', 'loopback.cjs'),
      ENTRY,
      'start',
      '--port',
      String(port),
      '--service',
      'google,microsoft',
      '--seed',
      seed,
      '--base-url',
      '',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  let complaint = ''
  child.stderr.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString('utf8')).slice(-4000)
  })
  const google = service(`http://127.0.0.1:${port}`, 'google-client', 'google-secret', '/oauth2/token')
  const microsoft = service(`http://127.0.0.1:${port + 1}`, 'ms-client', 'ms-secret', '/oauth2/v2.0/token')
  for (const { url } of [google, microsoft]) await answers(url, child, () => complaint)
  await rm(folder, { recursive: true })
  return {
    google,
    microsoft,
    mint: (name, email) =>
      name === 'google'
        ? mint(google, '/o/oauth2/v2/auth/callback', SCOPES.google, email)
        : mint(microsoft, '/oauth2/v2.0/authorize/callback', SCOPES.microsoft, email),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
  }
}

function service(url: string, clientId: string, clientSecret: string, tokenPath: string): EmulatedService {
  return { url, clientId, clientSecret, tokenUrl: `${url}${tokenPath}` }
}

async function mint(
  { url, clientId, clientSecret, tokenUrl }: EmulatedService,
  callback: string,
  scope: string,
  email: string,
): Promise<{ readonly [field: string]: unknown }> {
  const redirectUri = SEED_REDIRECT
  const consent = await fetch(`${url}${callback}`, {
    method: 'POST',
    redirect: 'manual',
    body: new URLSearchParams({
      email,
      redirect_uri: redirectUri,
      scope,
      client_id: clientId,
      state: 's',
      nonce: 'n',
      response_mode: 'query',
      code_challenge: '',
      code_challenge_method: '',
    }),
  })
  const code = new URL(consent.headers.get('location') ?? 'http://none').searchParams.get('code')
  if (!code) throw new Error(`the emulator gave no code (${consent.status})`)
  const answer = await fetch(tokenUrl, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code,
      client_id: clientId,
      client_secret: clientSecret,
      redirect_uri: redirectUri,
    }),
  })
  return (await answer.json()) as { readonly [field: string]: unknown }
}

/** Two ports in a row that are free now. */
async function freePortPair(): Promise<number> {
  for (let tries = 0; tries < 50; tries += 1) {
    const port = 20_000 + Math.floor(Math.random() * 30_000)
    if ((await isFree(port)) && (await isFree(port + 1))) return port
  }
  throw new Error('no two free ports in a row')
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })
}

async function answers(url: string, child: ChildProcess, complaint: () => string): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (child.exitCode !== null) throw new Error(`the emulator ended: ${complaint()}`)
    const answer = await fetch(url).catch(() => undefined) // refused until it listens
    if (answer) return
    await delay(100)
  }
  child.kill('SIGKILL')
  throw new Error(`the emulator does not answer at ${url}: ${complaint()}`)
}
