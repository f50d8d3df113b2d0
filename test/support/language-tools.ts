import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { MAIL_WORLD, underLock } from './dovecot.ts'

const LIB = join(import.meta.dirname, 'testworld', 'lib.sh')
const ROOT = join(import.meta.dirname, '..', '..')
const FOLDER = join(tmpdir(), 'grantway-test-languages')
const LOCK = 'languages.lock'

/** Debian's packages for the commands that are missing, and the Python SDK in an environment of its own. */
const INSTALL = `
  source "$1"
  command -v ruby >/dev/null || tw_apt ruby
  command -v javac >/dev/null || tw_apt default-jdk-headless
  command -v mvn >/dev/null || tw_apt maven
  python3 -c 'import ensurepip, venv' 2>/dev/null || tw_apt python3 python3-venv
  if ! cmp -s "$2" "$3/requirements.txt"; then
    rm -rf "$3" && python3 -m venv "$3" && "$3/bin/pip" install -q -r "$2" && cp "$2" "$3/requirements.txt"
  fi`

/** Whether Ruby has the SDK already; its registry is not among those that the tests ask. */
const HAS_RUBY_SDK = `ruby -e 'require "nylas"' 2>/dev/null && echo yes || true`

export interface LanguageTools {
  /** the interpreter that has the SDK */
  readonly python: string
  readonly rubyHasSdk: boolean
  /** Class path of the Java SDK; `undefined` where the registry does not have it. */
  readonly javaSdk: string | undefined
  /** Class path of the Kotlin compiler. */
  kotlinCompiler(): Promise<string>
}

/** Installs what is missing of Python, Ruby, Java and Maven, so that the first test need not wait for it. */
export async function installLanguages(): Promise<{ stop(): Promise<void> }> {
  await languageTools()
  return { stop: () => Promise.resolve() }
}

/** Finds the tools of the other languages, installed where they are missing. Needs root on Debian. */
export async function languageTools(): Promise<LanguageTools> {
  await mkdir(MAIL_WORLD, { recursive: true })
  await mkdir(FOLDER, { recursive: true })
  const venv = join(FOLDER, 'python')
  await underLock(LOCK, INSTALL, [LIB, join(ROOT, 'examples/python/requirements.txt'), venv])
  const ruby = await underLock(LOCK, HAS_RUBY_SDK, [])
  return {
    python: join(venv, 'bin', 'python'),
    rubyHasSdk: ruby.trim() === 'yes',
    javaSdk: await classPath('examples/java/pom.xml', 'com.nylas.sdk:nylas'),
    async kotlinCompiler() {
      const path = await classPath('test/sdk/languages/kotlin-compiler.pom.xml')
      if (path === undefined) throw new Error('Maven gave no class path of the Kotlin compiler')
      return path
    },
  }
}

/**
 * Downloads a project's dependencies, into the user's own Maven repository.
 * @param mayLack  `undefined` where the registry has no such artifact; any other failure throws
 */
async function classPath(project: string, mayLack?: string): Promise<string | undefined> {
  const text = await readFile(join(ROOT, project), 'utf8')
  const file = join(FOLDER, `${createHash('sha256').update(text).digest('hex')}.class-path`)
  const known = existsSync(file) ? await readFile(file, 'utf8') : ''
  if (known !== '' && known.split(delimiter).every((jar) => existsSync(jar))) return known
  await rm(file, { force: true })
  const said = await underLock(
    LOCK,
    'mvn -B -q -f "$1" dependency:build-classpath "-Dmdep.outputFile=$2" 2>&1 || true',
    [join(ROOT, project), file],
  )
  if (existsSync(file)) return readFile(file, 'utf8')
  const lacks = /Could not find artifact (\S+)|(\S+) was not found in /.exec(said)
  const artifact = lacks?.[1] ?? lacks?.[2] ?? ''
  if (mayLack !== undefined && artifact.startsWith(`${mayLack}:`)) return undefined
  throw new Error(`Maven could not resolve ${project}: ${said}`)
}
