import { isJsonObject } from '../kit/json.ts'
import type { Context } from './context.ts'

/** Prints a list of flat objects as a table with a header line, or as JSON. */
export function printRows(context: Context, rows: unknown, asJson: boolean): void {
  if (asJson || !Array.isArray(rows)) return context.print(JSON.stringify(rows, null, 2))
  const objects = rows.filter(isJsonObject)
  const columns = [...new Set(objects.flatMap((row) => Object.keys(row)))]
  if (objects.length === 0) return context.say('There are none.')
  const lines = [columns, ...objects.map((row) => columns.map((column) => shown(row[column])))]
  const widths = columns.map((_, at) => Math.max(...lines.map((line) => (line[at] ?? '').length)))
  for (const line of lines) {
    context.print(
      line
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
  }
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return '-'
  return typeof value === 'string' ? value : JSON.stringify(value)
}
