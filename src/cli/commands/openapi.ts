import type { Command } from 'commander'
import type { Context } from '../context.ts'

/** Adds `openapi`. */
export function addOpenapi(program: Command, context: Context): void {
  program
    .command('openapi')
    .description('Print the OpenAPI 3.1 document.')
    .action(async () => {
      context.print(JSON.stringify(await (await context.app()).openapi(), null, 2))
    })
}
