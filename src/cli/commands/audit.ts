import { type Command, InvalidArgumentError, Option } from 'commander'
import { isJsonObject, numberField, type JsonObject } from '../../kit/json.ts'
import type { Context } from '../context.ts'
import { printRows } from '../rows.ts'

const PAGE = 500

interface Options {
  readonly applicationId?: string
  readonly actor?: string
  readonly action?: string
  readonly target?: string
  readonly since?: number
  readonly until?: number
  readonly limit: number
  readonly format: 'table' | 'ndjson'
}

/** Adds `audit`: reads the audit log, newest first. */
export function addAudit(program: Command, context: Context): void {
  program
    .command('audit')
    .description('Read the audit log, newest first: who did what to which grant, connector or key.')
    .option('--application-id <id>', 'only of this application')
    .option('--actor <actor>', 'for example key:<id>, cli, system')
    .option('--action <action>', 'for example grant.deleted')
    .option('--target <target>', 'for example grant:<id>')
    .option('--since <time>', 'Unix seconds, or a date such as 2026-11-24T10:00Z', readTime)
    .option('--until <time>', 'the same, inclusive', readTime)
    .option('--limit <n>', 'how many at most', readLimit, 100)
    .addOption(
      new Option('--format <format>', 'how to print it').choices(['table', 'ndjson']).default('table'),
    )
    .action(async ({ format, limit, ...filter }: Options) => {
      const app = await context.app()
      const rows: JsonObject[] = []
      let beforeSeq: number | undefined
      while (rows.length < limit) {
        const wanted = Math.min(PAGE, limit - rows.length)
        const after = beforeSeq === undefined ? {} : { beforeSeq }
        const answer = await app.admin(context.config(), {
          name: 'audit.list',
          ...filter,
          limit: wanted,
          ...after,
        })
        const page = Array.isArray(answer) ? answer.filter(isJsonObject) : []
        rows.push(...page)
        beforeSeq = numberField(page.at(-1) ?? {}, 'seq')
        if (page.length < wanted || beforeSeq === undefined) break
      }
      const shown = rows.map(({ seq: _seq, ...row }) => row)
      if (format === 'ndjson') for (const row of shown) context.print(JSON.stringify(row))
      else printRows(context, shown.map(tableRow), false)
    })
}

function tableRow({
  created_at: at,
  actor,
  action,
  target,
  application_id: application,
  detail,
}: JsonObject) {
  const time = typeof at === 'number' ? new Date(at * 1000).toISOString().replace('.000', '') : at
  return { time, actor, action, target, application, detail }
}

function readTime(value: string): number {
  const seconds = /^\d+$/.test(value) ? Number(value) : Math.floor(Date.parse(value) / 1000)
  if (!Number.isSafeInteger(seconds))
    throw new InvalidArgumentError('It must be Unix seconds or an ISO date.')
  return seconds
}

function readLimit(value: string): number {
  const limit = Number(value)
  if (!Number.isSafeInteger(limit) || limit < 1)
    throw new InvalidArgumentError('It must be a whole number above 0.')
  return limit
}
