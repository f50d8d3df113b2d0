import { type Command, Option } from 'commander'
import type { Context } from '../context.ts'
import { startLean } from '../lean-start.ts'
import { stopAndExit, watchSignals } from '../lifetime.ts'

const ROLES = ['all', 'api', 'worker'] as const
type Role = (typeof ROLES)[number]

/** Adds `serve`: runs until SIGINT or SIGTERM. */
export function addServe(program: Command, context: Context): void {
  program
    .command('serve')
    .description('Run the server: API, console and background jobs. Migrates the database first.')
    .addOption(
      new Option('--role <role>', 'what this process does (the embedded database allows only all)')
        .choices(ROLES)
        .default('all'),
    )
    .action(async (options: { readonly role: Role }) => {
      const config = context.config()
      const lifetime = watchSignals()
      const endLeanStart = startLean()
      const app = await context.app()
      const server = await app.serve(config, { role: options.role })
      endLeanStart()
      context.print(JSON.stringify({ event: 'listening', url: server.url }))
      await lifetime.ended
      await stopAndExit(() => server.stop(), 0)
    })
}
