import { Command } from 'commander'
import { addApps } from './commands/apps.ts'
import { addAudit } from './commands/audit.ts'
import { addDemo } from './commands/demo.ts'
import { addDoctor } from './commands/doctor.ts'
import { addImport } from './commands/import.ts'
import { addKeys } from './commands/keys.ts'
import { addMigrate } from './commands/migrate.ts'
import { addOpenapi } from './commands/openapi.ts'
import { addRotateKeys } from './commands/rotate-keys.ts'
import { addSandbox } from './commands/sandbox.ts'
import { addServe } from './commands/serve.ts'
import type { Context } from './context.ts'

/** Makes the command line. It never ends the process: commander's exits come as CommanderError. */
export function createProgram(context: Context, version: string): Command {
  const program = new Command('grantway')
    .description('A self-hosted server that speaks the Nylas v3 API over your own tokens and credentials.')
    .version(version)
    .helpCommand(false)
    .showHelpAfterError('(run with --help for the usage)')
    .exitOverride()
    .addHelpText('after', '\nConfiguration comes from GRANTWAY_… variables: see docs/config.md.')
  const add = [
    addServe,
    addDemo,
    addSandbox,
    addMigrate,
    addKeys,
    addApps,
    addRotateKeys,
    addAudit,
    addDoctor,
    addOpenapi,
    addImport,
  ]
  for (const addCommand of add) addCommand(program, context)
  return program
}
