import type { Command } from 'commander'
import type { RotationProgress } from '../../app/commands.ts'
import type { Context } from '../context.ts'

/** A line this often where no terminal shows a bar. */
const LINE_EVERY_MS = 5_000
const PHASES = {
  reseal: 'sealing every secret under the new key',
  close: 'waiting until every process has taken up the new key',
  sweep: 'looking for secrets that were sealed meanwhile',
} as const

/** Adds `rotate-keys`: exit code 1 when a value could not be opened. */
export function addRotateKeys(program: Command, context: Context): void {
  program
    .command('rotate-keys')
    .description(
      'Make a new data key and seal every secret under it, online; run again after an interruption.',
    )
    .option('--rewrap', 'only wrap the data keys under the first of GRANTWAY_ENCRYPTION_KEYS', false)
    .action(async (options: { readonly rewrap: boolean }) => {
      const app = await context.app()
      const shown = process.stderr.isTTY ? await progressBar(context) : progressLines(context)
      try {
        const outcome = await app.rotateKeys(context.config(), {
          rewrap: options.rewrap,
          onProgress: (progress) => shown.update(progress),
        })
        shown.stop()
        context.print(JSON.stringify(outcome))
        if (outcome.event === 'keys.rewrapped') return
        if (outcome.resumed) {
          context.say(
            'This finished a rotation that had been begun before. For another new key run it again.',
          )
        }
        if (outcome.unreadable.length === 0) return
        context.say('Some values could not be opened, so the old data key was kept. They are damaged:')
        for (const place of outcome.unreadable) context.say(`  ${place}`)
        context.exitCode(1)
      } finally {
        shown.stop()
      }
    })
}

interface Shown {
  update(progress: RotationProgress): void
  stop(): void
}

async function progressBar(context: Context): Promise<Shown> {
  const { SingleBar } = (await import('cli-progress')).default
  let bar: InstanceType<typeof SingleBar> | undefined
  return {
    update(progress) {
      if (!bar) {
        if (progress.isResumed) context.say('Going on with the rotation that was begun before.')
        bar = new SingleBar({
          format:
            '{bar} {percentage}% | {value} of {total} rows | {resealed} sealed anew | {eta_formatted} left | {phase}',
          hideCursor: true,
        })
        bar.start(Math.max(1, progress.total), progress.seen, payload(progress))
      }
      bar.update(Math.min(progress.seen, bar.getTotal()), payload(progress))
    },
    stop() {
      bar?.stop()
      bar = undefined
    },
  }
}

function payload({ resealed, phase }: RotationProgress) {
  return { resealed, phase: PHASES[phase] }
}

function progressLines(context: Context): Shown {
  let phase: RotationProgress['phase'] | undefined
  let saidMs = 0
  const startedMs = performance.now()
  return {
    update(progress) {
      const nowMs = performance.now()
      if (phase === undefined && progress.isResumed) {
        context.say('Going on with the rotation that was begun before.')
      }
      if (progress.phase === phase && nowMs - saidMs < LINE_EVERY_MS) return
      phase = progress.phase
      saidMs = nowMs
      const perSecond = Math.round(progress.seen / Math.max(0.001, (nowMs - startedMs) / 1000))
      context.say(
        `${PHASES[progress.phase]}: ${progress.seen} of ${progress.total} rows, ${progress.resealed} sealed anew, ` +
          `${perSecond} rows/s`,
      )
    },
    stop() {},
  }
}
