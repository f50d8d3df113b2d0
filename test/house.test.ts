import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (file: string) => readFileSync(join(root, file), 'utf8')

test('docs/dependencies.md names every direct dependency, and nothing else', () => {
  const manifest = JSON.parse(read('package.json')) as Record<string, Record<string, string>>
  const wanted = [...Object.keys(manifest['dependencies']!), ...Object.keys(manifest['devDependencies']!)]
  const rows = read('docs/dependencies.md')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
  const named = rows.flatMap((line) =>
    [...(line.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map((match) => match[1]),
  )
  assert.deepEqual(new Set(named), new Set(wanted))
})

test('links between the pages lead somewhere', () => {
  const pages = globSync('{*.md,docs/**/*.md}', { cwd: root })
  assert.ok(pages.length > 15)
  const broken = pages.flatMap((page) =>
    [...read(page).matchAll(/\]\((?!https?:|#)([^)#]+)/g)]
      .map((match) => match[1]!)
      .filter((target) => !existsSync(join(root, dirname(page), target)))
      .map((target) => `${page}: ${target}`),
  )
  assert.deepEqual(broken, [])
})

test('every room has a README of at most 30 lines', () => {
  for (const room of globSync('src/*', { cwd: root })) {
    const page = join(room, 'README.md')
    assert.ok(existsSync(join(root, page)), page)
    assert.ok(read(page).trimEnd().split('\n').length <= 30, page)
  }
})

test('the lock file names the optional packages of every platform, so that npm ci works on each', () => {
  const lock = JSON.parse(readFileSync(`${root}package-lock.json`, 'utf8')) as {
    packages: Record<string, { optionalDependencies?: Record<string, string>; resolved?: string }>
  }
  const paths = Object.keys(lock.packages)
  const wanted = Object.values(lock.packages).flatMap((entry) =>
    Object.keys(entry.optionalDependencies ?? {}),
  )
  assert.ok(wanted.length > 20)
  const missing = wanted.filter((name) => !paths.some((path) => path.endsWith(`node_modules/${name}`)))
  assert.deepEqual(missing, [])
  assert.deepEqual(
    paths.filter((path) => lock.packages[path]?.resolved !== undefined),
    [],
  )
})

test('no test file starts a deadline when it is loaded: in the fast lane its tests may run a minute later', () => {
  const files = globSync('{src,test}/**/*.test.ts', { cwd: root })
  assert.ok(files.length > 50)
  assert.deepEqual(
    files.filter((file) => /^(export )?(const|let) .*AbortSignal\.timeout/m.test(read(file))),
    [],
  )
})
