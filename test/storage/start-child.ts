import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** Starts `child.ts` and gives the line it prints, and a way to kill it as if the machine had. */
export async function startChild(...args: readonly string[]): Promise<{
  readonly said: Record<string, unknown>
  kill(): Promise<void>
}> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'child.ts'), ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  for await (const line of createInterface({ input: child.stdout })) {
    return {
      said: JSON.parse(line) as Record<string, unknown>,
      async kill() {
        const gone = once(child, 'exit')
        child.kill('SIGKILL')
        await gone
      },
    }
  }
  throw new Error('the child ended without a word')
}
