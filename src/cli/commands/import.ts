import { type Command, Option } from 'commander'
import type { ImportRequest } from '../../app/import/import-grants.ts'
import { StartError } from '../../app/start-error.ts'
import type { Context } from '../context.ts'
import { showImportProgress } from '../import-progress.ts'
import { watchSignals } from '../lifetime.ts'

interface Options {
  readonly format?: 'ndjson' | 'csv'
  readonly applicationId?: string
  readonly verify: 'lazy' | 'now'
  readonly errors?: string
  readonly dryRun: boolean
  readonly events: boolean
}

/** Failed rows that are told of where there is no errors file. */
const SHOWN_FAILURES = 10

/** Adds `import FILE`: bulk import of grants. */
export function addImport(program: Command, context: Context): void {
  program
    .command('import')
    .description(
      'Import grants from an NDJSON or CSV file. The same file again goes on where it stopped: rows that are there are skipped.',
    )
    .argument('<file>', 'the file, or - for stdin')
    .addOption(
      new Option(
        '--format <format>',
        'what the file is (default: by its ending, else by its beginning)',
      ).choices(['ndjson', 'csv']),
    )
    .option('--application-id <id>', 'application the grants belong to (default: the only one)')
    .addOption(
      new Option(
        '--verify <when>',
        'lazy: a token is used for the first time when its grant is; now: the provider is asked at once',
      )
        .choices(['lazy', 'now'])
        .default('lazy'),
    )
    .option('--errors <file>', 'write failed rows here: one JSON object a line, without secrets')
    .option('--dry-run', 'check every row and write nothing; no provider is asked', false)
    .option('--events', 'send grant.created and grant.updated to webhooks', false)
    .action(async (file: string, options: Options) => {
      if (options.dryRun && options.verify === 'now') {
        throw new StartError(
          '--dry-run asks no provider, since a token that it replaced could not be kept: leave --verify now out',
        )
      }
      await runImport(context, file, options)
    })
}

async function runImport(context: Context, file: string, options: Options): Promise<void> {
  const config = context.config()
  const { signal, release } = watchSignals()
  const app = await context.app()
  const counts = { rows: 0, created: 0, updated: 0, skipped: 0, failed: 0 }
  const progress = await showImportProgress(context, counts)
  const failures: string[] = []
  const ignored: string[] = []
  const request: ImportRequest = {
    file,
    verify: options.verify,
    dryRun: options.dryRun,
    events: options.events,
    ...(options.format === undefined ? {} : { format: options.format }),
    ...(options.applicationId === undefined ? {} : { applicationId: options.applicationId }),
    ...(options.errors === undefined ? {} : { errorsFile: options.errors }),
    signal,
    counts,
    onProgress: progress.update,
    onFailure({ line, error }) {
      if (failures.length < SHOWN_FAILURES) failures.push(`line ${line}: ${error.message}`)
    },
    onIgnored: (field) => ignored.push(field),
  }
  try {
    await app.importGrants(config, request)
  } catch (error) {
    // How far it got; nothing to tell where nothing was begun.
    if (counts.rows > 0) context.print(summaryOf(counts))
    throw error
  } finally {
    progress.stop()
    release()
  }
  if (ignored.length > 0) context.say(`Fields that mean nothing here were left out: ${ignored.join(', ')}`)
  if (options.errors === undefined) {
    for (const failure of failures) context.say(failure)
    if (counts.failed > failures.length)
      context.say('… use --errors FILE to have all failed rows written down.')
  }
  if (signal.aborted) context.say('Stopped. Import the same file again to go on.')
  if (options.dryRun) context.say('This was a dry run: nothing was written.')
  context.print(summaryOf(counts))
  context.exitCode(counts.failed > 0 || signal.aborted ? 1 : 0)
}

function summaryOf({ rows, created, updated, skipped, failed }: ImportRequest['counts']): string {
  return JSON.stringify({ event: 'imported', rows, created, updated, skipped, failed })
}
