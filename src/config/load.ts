import { readFileSync } from 'node:fs'
import { isJsonObject, type JsonObject, parseJson } from '../kit/json.ts'
import { InvalidValue } from './kinds.ts'
import {
  CONFIG_FILE_VARIABLE,
  type Config,
  isSetting,
  listSettings,
  SETTINGS,
  type Setting,
  type SettingGroup,
} from './schema.ts'

export type { Config } from './schema.ts'

export type Environment = { readonly [name: string]: string | undefined }

/** Everything that is wrong with the configuration, one sentence per variable; each begins with its name. */
export class ConfigError extends Error {
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.name = 'ConfigError'
    this.problems = problems
  }
}

/** A written value and where it stands; `path` for a value that is kept in a file of its own. */
interface Written {
  readonly origin: string
  readonly text?: string
  readonly path?: string
}

interface Source {
  /** Behind a variable's name in a sentence: empty for the environment, else the file's path. */
  readonly origin: string
  readonly values: { readonly [name: string]: string }
}

/**
 * Reads the configuration from the environment and, where `GRANTWAY_CONFIG_FILE` names one, a JSON file.
 * The environment wins over the file.
 *
 * @throws ConfigError with all problems at once: unknown names, bad values, unreadable files
 */
export function loadConfig(environment: Environment = process.env): Config {
  const problems: string[] = []
  const warnings: string[] = []
  const sources = [fromEnvironment(environment, warnings), ...fromFile(environment, problems)]
  for (const source of sources) findUnknown(source, problems)
  const values = readGroup(SETTINGS, (setting) => readSetting(setting, sources, problems, warnings))
  if (problems.length > 0) throw new ConfigError(problems)
  // The schema boundary: readGroup kept the shape of SETTINGS and each value came from its own kind.
  return Object.freeze({ ...values, warnings: Object.freeze(warnings) }) as Config
}

function fromEnvironment(environment: Environment, warnings: string[]): Source {
  const values: { [name: string]: string } = {}
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith('GRANTWAY_') || name === CONFIG_FILE_VARIABLE || value === undefined) continue
    if (isInjected(name, value)) {
      warnings.push(`${name} is ignored: it looks like a variable that a container platform sets by itself`)
    } else {
      values[name] = value
    }
  }
  return { origin: '', values }
}

/** Kubernetes and Docker links set these for every service named grantway or grantway-something. */
function isInjected(name: string, value: string): boolean {
  if (name.endsWith('_PORT') && /^(tcp|udp|sctp):\/\//.test(value)) return true
  return !KNOWN.has(name) && (name.includes('_SERVICE_') || /_PORT_.*_TCP/.test(name))
}

function fromFile(environment: Environment, problems: string[]): readonly Source[] {
  const path = environment[CONFIG_FILE_VARIABLE]
  if (path === undefined) return []
  const text = readText(path)
  const content = text === undefined ? undefined : parseJson(text)
  if (text === undefined) problems.push(`${CONFIG_FILE_VARIABLE} names a file that cannot be read: ${path}`)
  else if (!isJsonObject(content))
    problems.push(`${CONFIG_FILE_VARIABLE} must name a file with one JSON object`)
  return isJsonObject(content) ? [{ origin: ` (in ${path})`, values: textsOf(content, path, problems) }] : []
}

function textsOf(content: JsonObject, path: string, problems: string[]): { readonly [name: string]: string } {
  const values: { [name: string]: string } = {}
  for (const [name, value] of Object.entries(content)) {
    if (typeof value === 'string') values[name] = value
    else if (typeof value === 'number' || typeof value === 'boolean') values[name] = String(value)
    else if (Array.isArray(value) && value.every((entry) => typeof entry === 'string')) {
      values[name] = value.join(',')
    } else problems.push(`${name} (in ${path}) must be a string, a number, true, false or a list of strings`)
  }
  return values
}

const KNOWN: ReadonlySet<string> = new Set(
  listSettings().flatMap(({ name, secret }) => (secret ? [name, `${name}_FILE`] : [name])),
)

function findUnknown(source: Source, problems: string[]): void {
  for (const name of Object.keys(source.values)) {
    if (!KNOWN.has(name)) {
      problems.push(`${name}${source.origin} is not a variable of Grantway (see docs/config.md)`)
    }
  }
}

function readGroup(group: SettingGroup, read: (setting: Setting<unknown>) => unknown): object {
  const entries = Object.entries(group).map(([key, node]) => [
    key,
    isSetting(node) ? read(node) : readGroup(node, read),
  ])
  return Object.freeze(Object.fromEntries(entries))
}

function readSetting(
  setting: Setting<unknown>,
  sources: readonly Source[],
  problems: string[],
  warnings: string[],
): unknown {
  try {
    const written = findWritten(setting, sources)
    const text = written ? textOf(setting, written) : setting.defaultText
    if (text === undefined) return undefined
    const value = parse(setting, text, written?.origin ?? '')
    if (text === setting.warning?.when) warnings.push(`${setting.name}=${text}: ${setting.warning.sentence}`)
    return value
  } catch (error) {
    if (!(error instanceof InvalidValue)) throw error
    problems.push(error.message)
    return undefined
  }
}

function findWritten(setting: Setting<unknown>, sources: readonly Source[]): Written | undefined {
  for (const { origin, values } of sources) {
    const text = values[setting.name]
    const path = setting.secret ? values[`${setting.name}_FILE`] : undefined
    if (text !== undefined && path !== undefined) {
      throw new InvalidValue(`${setting.name}${origin} and ${setting.name}_FILE are both set: keep one`)
    }
    if (text !== undefined) return { origin, text }
    if (path !== undefined) return { origin, path }
  }
  return undefined
}

function textOf(setting: Setting<unknown>, written: Written): string | undefined {
  if (written.path === undefined) return written.text
  const text = readText(written.path)
  if (text === undefined) {
    throw new InvalidValue(
      `${setting.name}_FILE${written.origin} names a file that cannot be read: ${written.path}`,
    )
  }
  return text.trim()
}

function parse(setting: Setting<unknown>, text: string, origin: string): unknown {
  // An empty value is most often a variable that was meant to be filled. Only for a list is "none" a value.
  if (text === '' && setting.defaultText !== '') {
    throw new InvalidValue(`${setting.name}${origin} is empty: give it a value or remove it`)
  }
  try {
    const value = setting.kind.parse(text)
    return Array.isArray(value) ? Object.freeze(value) : value
  } catch (error) {
    if (!(error instanceof InvalidValue)) throw error
    throw new InvalidValue(`${setting.name}${origin} ${error.message}`)
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined // whatever the cause, the caller's sentence names variable and path
  }
}
