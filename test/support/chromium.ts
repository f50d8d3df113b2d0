import { mkdir, rm, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'
import { MAIL_WORLD, underLock } from './dovecot.ts'

const LIB = join(import.meta.dirname, 'testworld', 'lib.sh')
const PROGRAM = '/usr/bin/chromium'
/** Nothing of the network but what the test opens. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
]

export interface TestChromium {
  readonly browser: Browser
  stop(): Promise<void>
}

/** Installs Debian's Chromium where it is missing, so that the first test need not wait for it. Needs root on Debian. */
export async function installChromium(): Promise<{ stop(): Promise<void> }> {
  await mkdir(MAIL_WORLD, { recursive: true })
  const install = 'source "$1" && tw_apt chromium fonts-dejavu-core fonts-noto-core'
  await underLock('chromium.lock', install, [LIB])
  return { stop: () => Promise.resolve() }
}

/** Starts Debian's Chromium without a window, installed where it is missing. */
export async function startChromium(): Promise<TestChromium> {
  await installChromium()
  const home = await mkdtemp(join(tmpdir(), 'grantway-chromium-'))
  const browser = await chromium.launch({
    executablePath: PROGRAM,
    args: FLAGS,
    env: { PATH: process.env['PATH'] ?? '', HOME: home },
  })
  return {
    browser,
    async stop() {
      await browser.close()
      await rm(home, { recursive: true, force: true })
    },
  }
}
