import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config/schema.ts'
import { EncryptionKeyError } from '../core/vault/data-keys.ts'
import type { KeyRotation } from '../core/vault/rotate-keys.ts'
import { RotationStep } from '../core/vault/rotation-state.ts'
import { sleep } from '../kit/deadline.ts'
import { isJsonObject, numberField, stringField } from '../kit/json.ts'
import type { Logger } from '../kit/logger.ts'
import { checkShape } from '../kit/shape.ts'
import { callAdminSocket } from './admin-socket/client.ts'
import type { AdminCommand, RotationOutcome, RotationProgress } from './commands.ts'
import { compose } from './compose.ts'
import { KEY_FILE, operatorKeys } from './encryption-keys.ts'
import { DataFolderInUseError } from './open-database.ts'
import { StartError } from './start-error.ts'

export type RotationCommand = Extract<AdminCommand, { readonly name: `rotation.${string}` }>

/** Between two steps as long a rest as the step took, at most this: traffic goes on. */
const LONGEST_REST_MS = 250

/**
 * Runs one step of a key rotation.
 * @throws StartError when this process can't unwrap a data key, or was started with other keys than the caller's
 */
export async function runRotationCommand(
  keyRotation: KeyRotation,
  command: RotationCommand,
): Promise<unknown> {
  try {
    if (command.name === 'rotation.step') return await keyRotation.step(command.state, 'cli')
    if (command.under !== undefined && command.under !== keyRotation.under) {
      throw new StartError(
        `The running server wraps keys under the encryption key "${keyRotation.under}", this command's ` +
          `configuration names "${command.under}" first. Restart the server with the new GRANTWAY_ENCRYPTION_KEYS, ` +
          'then run this again; nothing was changed.',
      )
    }
    return command.name === 'rotation.begin'
      ? await keyRotation.begin('cli')
      : await keyRotation.rewrap('cli')
  } catch (error) {
    throw error instanceof EncryptionKeyError ? new StartError(error.message, { cause: error }) : error
  }
}

/**
 * Rotates the data keys, or only wraps them anew: on PostgreSQL or an idle data folder directly, beside a running
 * `serve` through its admin socket, one bounded step after the other. Interrupted at any point, it can be run again.
 *
 * @throws StartError before anything is written, when an encryption key is missing or wrong
 */
export async function rotateKeys(
  config: Config,
  log: Logger,
  options: { readonly rewrap: boolean; readonly onProgress: (progress: RotationProgress) => void },
): Promise<RotationOutcome> {
  const under = firstKeyId(config, log)
  const drive = (run: (command: RotationCommand) => Promise<unknown>) =>
    options.rewrap ? rewrap(run, under) : rotate(run, under, options.onProgress)
  try {
    const application = await compose({ config, log, runsJobs: false })
    try {
      return await drive((command) => runRotationCommand(application.keyRotation, command))
    } finally {
      await application.close()
    }
  } catch (error) {
    if (!(error instanceof DataFolderInUseError)) throw error
    return drive((command) => callAdminSocket(config.dataDir, command))
  }
}

/** Where this command's configuration names keys at all: a data folder's own are the server's, too. */
function firstKeyId(config: Config, log: Logger): { readonly under?: string } {
  if (!config.encryptionKeys && !existsSync(join(config.dataDir, KEY_FILE))) return {}
  const [first] = operatorKeys(config, log)
  return first ? { under: first.id } : {}
}

async function rewrap(
  run: (command: RotationCommand) => Promise<unknown>,
  under: { readonly under?: string },
): Promise<RotationOutcome> {
  const answer = await run({ name: 'rotation.rewrap', ...under })
  const count = isJsonObject(answer) ? numberField(answer, 'rewrapped') : undefined
  const key = isJsonObject(answer) ? stringField(answer, 'under') : undefined
  if (count === undefined || key === undefined) throw otherVersion()
  return { event: 'keys.rewrapped', rewrapped: count, under: key }
}

async function rotate(
  run: (command: RotationCommand) => Promise<unknown>,
  under: { readonly under?: string },
  onProgress: (progress: RotationProgress) => void,
): Promise<RotationOutcome> {
  let step = readStep(await run({ name: 'rotation.begin', ...under }))
  while (step.kind === 'more') {
    const { state, waitMs } = step
    onProgress({
      phase: state.phase,
      total: 2 * state.rows,
      seen: (state.phase === 'reseal' ? 0 : state.rows) + (state.phase === 'close' ? 0 : state.seen),
      resealed: state.resealed,
      isResumed: state.isResumed,
    })
    if (waitMs > 0) await sleep(waitMs)
    const startedMs = performance.now()
    step = readStep(await run({ name: 'rotation.step', state }))
    await sleep(Math.min(performance.now() - startedMs, LONGEST_REST_MS))
  }
  const { key, resealed, deleted, unreadable, isResumed } = step
  return { event: 'keys.rotated', key, resealed, deleted, unreadable, resumed: isResumed }
}

function readStep(value: unknown): RotationStep {
  const step = checkShape(RotationStep, value, 'step')
  if (!step.ok) throw otherVersion()
  return step.value
}

function otherVersion(): StartError {
  return new StartError('The running server answered something else: it is of another version.')
}
