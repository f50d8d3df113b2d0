#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { isJsonObject, parseJson, stringField } from '../kit/json.ts'
import { processContext } from './context.ts'
import { judgeFailure } from './failure.ts'
import { createProgram } from './program.ts'

await main()

async function main(): Promise<void> {
  // Node's own default, but NODE_OPTIONS could turn it off: a promise without an owner ends the process.
  process.on('unhandledRejection', fail)
  process.on('uncaughtException', fail)
  try {
    await createProgram(processContext(), version()).parseAsync()
  } catch (error) {
    const { exitCode, lines } = judgeFailure(error)
    for (const line of lines) process.stderr.write(`${line}\n`)
    process.exitCode = exitCode
    // Something half started (a pool, a listener) must not keep a failed command alive.
    if (exitCode !== 0) process.exit()
  }
}

function fail(error: unknown): void {
  process.stderr.write(
    `grantway: unexpected fault: ${error instanceof Error ? error.stack : String(error)}\n`,
  )
  process.exit(1)
}

function version(): string {
  // package.json is two folders up, both from src/cli and from dist/cli
  const file = parseJson(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return (isJsonObject(file) ? stringField(file, 'version') : undefined) ?? 'unknown'
}
