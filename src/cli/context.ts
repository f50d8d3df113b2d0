import type { AppCommands } from '../app/commands.ts'
import { type Config, loadConfig } from '../config/load.ts'

/** What commands need from outside. */
export interface Context {
  /** Reads the configuration and says its warnings. @throws ConfigError */
  config(): Config
  /** Loads the application: late, so that `--help` and usage errors are instant. */
  app(): Promise<AppCommands>
  /** One line of result, to stdout. */
  print(line: string): void
  /** One line for a person, to stderr. */
  say(line: string): void
  /** Whether a person watches stderr. */
  readonly isTerminal: boolean
  /** The exit code to end with when the command is done. */
  exitCode(code: number): void
}

/** The context of the real process. */
export function processContext(): Context {
  const say = (line: string) => process.stderr.write(`${line}\n`)
  return {
    config() {
      const config = loadConfig()
      for (const warning of config.warnings) say(`warning: ${warning}`)
      return config
    },
    app: async () => (await import('../app/main.ts')).app,
    print: (line) => process.stdout.write(`${line}\n`),
    say,
    isTerminal: process.stderr.isTTY,
    exitCode(code) {
      process.exitCode = code
    },
  }
}
