import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { stopAndExit, watchSignals } from '../lifetime.ts'

/** Adds `demo`: walks from nothing to a working grant, then stays up. */
export function addDemo(program: Command, context: Context): void {
  program
    .command('demo')
    .description('From nothing to a working grant against the built-in sandbox, shown step by step.')
    .option('--exit', 'end after the walk; exit code 0 only if every step worked', false)
    .action(async (options: { readonly exit: boolean }) => {
      const config = context.config()
      const lifetime = watchSignals()
      const app = await context.app()
      const demo = await app.demo(config, { write: (line) => context.print(line), signal: lifetime.signal })
      if (!options.exit) {
        context.print(`The server stays up at ${demo.url} until Ctrl-C.`)
        await lifetime.ended
      }
      await stopAndExit(() => demo.stop(), demo.ok ? 0 : 1)
    })
}
