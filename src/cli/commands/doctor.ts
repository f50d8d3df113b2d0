import type { Command } from 'commander'
import { ConfigError } from '../../config/load.ts'
import type { Context } from '../context.ts'

/** Adds `doctor`: exit code 1 when a check fails. */
export function addDoctor(program: Command, context: Context): void {
  program
    .command('doctor')
    .description(
      'Check configuration, database, encryption key, grants, connectors and provider endpoints; say what to fix.',
    )
    .action(async () => {
      const checks = await runChecks(context)
      for (const { check, ok, detail, advice } of checks) {
        context.print(`${ok ? 'ok  ' : 'FAIL'}  ${check}: ${detail}`)
        if (advice !== undefined) context.print(`      -> ${advice}`)
      }
      const failed = checks.filter(({ ok }) => !ok).length
      context.print(failed === 0 ? 'Everything is fine.' : `${failed} of ${checks.length} checks failed.`)
      context.exitCode(failed === 0 ? 0 : 1)
    })
}

interface Check {
  readonly check: string
  readonly ok: boolean
  readonly detail: string
  readonly advice?: string
}

async function runChecks(context: Context): Promise<readonly Check[]> {
  try {
    const config = context.config()
    const configuration = { check: 'configuration', ok: true, detail: 'every variable can be read' }
    return [configuration, ...(await (await context.app()).doctor(config))]
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map((detail) => ({
      check: 'configuration',
      ok: false,
      detail,
      advice: 'see docs/config.md',
    }))
  }
}
