import { type Command, InvalidArgumentError } from 'commander'
import { applicationId } from '../../config/kinds.ts'
import { isJsonObject, stringField } from '../../kit/json.ts'
import type { Context } from '../context.ts'
import { printRows } from '../rows.ts'

/** Adds `apps create|list`. */
export function addApps(program: Command, context: Context): void {
  const apps = program
    .command('apps')
    .description('Applications: each sees only its own connectors and grants.')
  apps
    .command('create')
    .description('Make an application and print its id.')
    .argument('<name>', 'name of the application')
    .option('--id <id>', 'id to give it (default: a new one)', readId)
    .action(async (appName: string, options: { readonly id?: string }) => {
      const app = await context.app()
      const made = await app.admin(context.config(), {
        name: 'apps.create',
        appName,
        ...(options.id === undefined ? {} : { id: options.id }),
      })
      context.print(
        (isJsonObject(made) ? stringField(made, 'application_id') : undefined) ?? JSON.stringify(made),
      )
      context.say('Make it a key with: grantway keys create --application-id <id>')
    })
  apps
    .command('list')
    .description('List applications.')
    .option('--json', 'as JSON', false)
    .action(async (options: { readonly json: boolean }) => {
      printRows(
        context,
        await (await context.app()).admin(context.config(), { name: 'apps.list' }),
        options.json,
      )
    })
}

function readId(value: string): string {
  try {
    return applicationId.parse(value)
  } catch {
    throw new InvalidArgumentError('It must be 1 to 128 letters, digits, dots, underscores or hyphens.') // commander names the option
  }
}
