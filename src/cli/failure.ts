import { CommanderError } from 'commander'
import { StartError } from '../app/start-error.ts'
import { ConfigError } from '../config/load.ts'

/** How an error ends the process: its exit code and what is said about it. */
export interface Failure {
  readonly exitCode: number
  readonly lines: readonly string[]
}

/** Judges an error: 0 after `--help` and `--version`, 2 for bad usage, 1 for everything else. */
export function judgeFailure(error: unknown): Failure {
  // commander has written its own words already
  if (error instanceof CommanderError) return { exitCode: error.exitCode === 0 ? 0 : 2, lines: [] }
  if (error instanceof ConfigError) {
    return { exitCode: 2, lines: error.problems.map((problem) => `grantway: ${problem}`) }
  }
  if (error instanceof StartError) return { exitCode: 2, lines: [`grantway: ${error.message}`] }
  if (error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError) {
    return { exitCode: 1, lines: [`grantway: ${error.stack ?? error.message}`] } // a fault of ours: show where
  }
  return { exitCode: 1, lines: [`grantway: ${error instanceof Error ? error.message : String(error)}`] }
}
