import type { Command } from 'commander'
import type { Context } from '../context.ts'

/** Adds `migrate`. */
export function addMigrate(program: Command, context: Context): void {
  program
    .command('migrate')
    .description('Migrate the database and exit.')
    .action(async () => {
      const applied = await (await context.app()).migrate(context.config())
      for (const name of applied) context.print(name)
      context.say(
        applied.length === 0 ? 'The database is up to date.' : `Applied ${applied.length} migrations.`,
      )
    })
}
