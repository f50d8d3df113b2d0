import { type Command, InvalidArgumentError } from 'commander'
import { port as portKind } from '../../config/kinds.ts'
import type { Context } from '../context.ts'
import { stopAndExit, watchSignals } from '../lifetime.ts'

/** Adds `sandbox`: the stand-in provider alone, for users' own CI. */
export function addSandbox(program: Command, context: Context): void {
  program
    .command('sandbox')
    .description('Run the sandbox provider alone, and print the variables that point a server to it.')
    .option('--port <port>', 'port to listen on; 0 takes any free one', readPort, 0)
    .action(async (options: { readonly port: number }) => {
      const lifetime = watchSignals()
      const app = await context.app()
      const sandbox = await app.sandbox({ port: options.port })
      const { url, environment } = sandbox
      context.print(JSON.stringify({ event: 'listening', url, environment }))
      context.say('Start a server with:')
      for (const [name, value] of Object.entries(environment)) context.say(`  export ${name}=${value}`)
      await lifetime.ended
      await stopAndExit(() => sandbox.stop(), 0)
    })
}

function readPort(value: string): number {
  try {
    return portKind.parse(value)
  } catch {
    throw new InvalidArgumentError('It must be a port number.') // commander puts the option's name before it
  }
}
