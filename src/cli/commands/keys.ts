import type { Command } from 'commander'
import { isJsonObject, stringField } from '../../kit/json.ts'
import type { Context } from '../context.ts'
import { printRows } from '../rows.ts'

/** Adds `keys create|list|revoke`. */
export function addKeys(program: Command, context: Context): void {
  const keys = program.command('keys').description('API keys of applications.')
  keys
    .command('create')
    .description('Make an API key and print it: the only time it is shown.')
    .option('--application-id <id>', 'application (default: the only one)')
    .option('--name <name>', 'what the key is for', 'cli')
    .action(async (options: { readonly applicationId?: string; readonly name: string }) => {
      const app = await context.app()
      const made = await app.admin(context.config(), {
        name: 'keys.create',
        keyName: options.name,
        ...(options.applicationId === undefined ? {} : { applicationId: options.applicationId }),
      })
      const key = isJsonObject(made) ? stringField(made, 'api_key') : undefined
      context.say('The new API key. It is not shown again:')
      context.print(key ?? JSON.stringify(made))
    })
  keys
    .command('list')
    .description('List API keys, without the keys themselves.')
    .option('--application-id <id>', 'only of this application')
    .option('--json', 'as JSON', false)
    .action(async (options: { readonly applicationId?: string; readonly json: boolean }) => {
      const app = await context.app()
      const listed = await app.admin(context.config(), {
        name: 'keys.list',
        ...(options.applicationId === undefined ? {} : { applicationId: options.applicationId }),
      })
      printRows(context, listed, options.json)
    })
  keys
    .command('revoke')
    .description('Revoke an API key; requests with it are refused from then on.')
    .argument('<id>', 'id of the key, from `keys list`')
    .action(async (id: string) => {
      await (await context.app()).admin(context.config(), { name: 'keys.revoke', id })
      context.say(`Revoked ${id}.`)
    })
}
