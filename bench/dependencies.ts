// B10: what a production install brings along.
import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Figure } from './figure.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Counts the packages of the production dependency tree and their size on disk. */
export function measureDependencies(): Promise<readonly Figure[]> {
  const args = ['ls', '--omit=dev', '--all', '--parseable']
  // npm ls ends with 1 for an extraneous package, too; what it printed counts all the same.
  const listed = execFileSync('npm', args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const folders = new Set(
    listed.split('\n').filter((line) => line.includes('node_modules') && existsSync(line)),
  )
  let sizeBytes = 0
  for (const folder of folders) sizeBytes += sizeOf(folder)
  return Promise.resolve([
    { name: 'production packages', value: folders.size, unit: 'packages', bar: 170 },
    { name: 'production packages on disk', value: round(sizeBytes / 1e6), unit: 'MB', bar: 100 },
  ])
}

/** Size of a package without the packages nested in it: those are counted by themselves. */
function sizeOf(folder: string): number {
  let sizeBytes = 0
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === 'node_modules') continue
    const path = join(folder, entry.name)
    if (entry.isDirectory()) sizeBytes += sizeOf(path)
    else if (entry.isFile()) sizeBytes += lstatSync(path).size
  }
  return sizeBytes
}

const round = (value: number): number => Math.round(value * 10) / 10
