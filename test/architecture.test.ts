// The import rules hold only as long as the lint plugin really reports: its interface is young, and an update
// could silence it. So every rule is broken here once, in a tree of its own.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { before, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** A file of each room, by the name that the table below uses. */
const FILES = {
  kit: 'src/kit/target.ts',
  contract: 'src/contract/target.ts',
  formats: 'src/formats/target.ts',
  config: 'src/config/target.ts',
  protocols: 'src/protocols/imap/target.ts',
  standards: 'src/standards/imap-mail/target.ts',
  ports: 'src/core/ports/target.ts',
  core: 'src/core/grants/target.ts',
  provider: 'src/providers/google/target.ts',
  sandbox: 'src/sandbox/target.ts',
  storage: 'src/storage/target.ts',
  http: 'src/http/target.ts',
  jobs: 'src/jobs/target.ts',
  app: 'src/app/target.ts',
  cli: 'src/cli/target.ts',
} as const

type Room = keyof typeof FILES
const ROOMS = Object.keys(FILES) as Room[]

/** Which other rooms each room may import, and whether files of the room may import each other. */
const ALLOWED: { readonly [room in Room]: readonly Room[] } = {
  kit: [],
  contract: ['kit'],
  formats: ['kit'],
  config: ['kit'],
  protocols: ['kit', 'formats'],
  standards: ['kit', 'contract', 'formats', 'protocols', 'ports'],
  ports: ['kit', 'contract', 'formats'],
  core: ['kit', 'contract', 'formats', 'ports'],
  provider: ['kit', 'contract', 'formats', 'protocols', 'standards', 'ports'],
  sandbox: ['kit', 'formats'],
  storage: ['kit', 'contract', 'core', 'ports'],
  http: ['kit', 'contract', 'core', 'ports'],
  jobs: ['kit', 'contract', 'core', 'ports'],
  app: ROOMS.filter((room) => room !== 'cli' && room !== 'app'),
  cli: ['kit', 'config', 'app'],
}

/** Folders of one room that must not know each other. */
const SIBLINGS: readonly (readonly [Room, string])[] = [
  ['provider', 'src/providers/microsoft/target.ts'],
  ['protocols', 'src/protocols/smtp/target.ts'],
  ['standards', 'src/standards/dav-calendar/target.ts'],
]

const FORMS = {
  value: (path: string) => `import { target } from '${path}'\nexport const used = target\n`,
  type: (path: string) => `import type { Target } from '${path}'\nexport type Used = Target\n`,
  dynamic: (path: string) => `export const used = () => import('${path}')\n`,
  reexport: (path: string) => `export { target } from '${path}'\n`,
}
type Form = keyof typeof FORMS

interface Edge {
  readonly file: string
  readonly label: string
}

/** Lints a tree with one file per edge. @returns the files in which an import was reported */
function reported(edges: readonly { from: string; to: string; form: Form; file: string }[]): Set<string> {
  const tree = mkdtempSync(join(tmpdir(), 'grantway-architecture-'))
  try {
    cpSync(join(root, '.oxlintrc.json'), join(tree, '.oxlintrc.json'))
    symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'))
    const write = (file: string, content: string) => {
      mkdirSync(dirname(join(tree, file)), { recursive: true })
      writeFileSync(join(tree, file), content)
    }
    for (const file of [...Object.values(FILES), ...SIBLINGS.map(([, sibling]) => sibling)]) {
      write(file, 'export const target = 1\nexport type Target = number\n')
    }
    for (const { file, to, form } of edges) {
      const path = relative(dirname(file), to)
      write(file, FORMS[form](path.startsWith('.') ? path : `./${path}`))
    }
    const { stdout, stderr } = spawnSync(join(root, 'node_modules/.bin/oxlint'), ['--format=json', 'src'], {
      cwd: tree,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    })
    assert.ok(stdout.startsWith('{'), `the lint gave no report: ${stdout}${stderr}`)
    const { diagnostics } = JSON.parse(stdout) as { diagnostics: { code: string; filename: string }[] }
    const ours = diagnostics.filter(
      ({ code }) => code.includes('boundaries') && code.includes('dependencies'),
    )
    return new Set(ours.map(({ filename }) => filename))
  } finally {
    rmSync(tree, { recursive: true })
  }
}

/** Every edge from room to room in every form, as files of the importing room. */
function edgesOf(pick: (from: Room, to: Room) => boolean) {
  return ROOMS.flatMap((from) =>
    ROOMS.filter((to) => to !== from && pick(from, to)).flatMap((to) =>
      (Object.keys(FORMS) as Form[]).map((form) => ({
        from,
        to: FILES[to],
        form,
        file: join(dirname(FILES[from]), `${form}-of-${to}.ts`),
        label: `${from} -> ${to} (${form})`,
      })),
    ),
  )
}

const forbidden = edgesOf((from, to) => !ALLOWED[from].includes(to))
const allowed = edgesOf((from, to) => ALLOWED[from].includes(to))
const siblings = SIBLINGS.flatMap(([room, sibling]) =>
  (Object.keys(FORMS) as Form[]).map((form) => ({
    from: room,
    to: sibling,
    form,
    file: join(dirname(FILES[room]), `${form}-of-sibling.ts`),
    label: `${room} -> its sibling (${form})`,
  })),
)
const neighbours = ROOMS.map((room) => ({
  from: room,
  to: FILES[room],
  form: 'value' as const,
  file: join(dirname(FILES[room]), 'neighbour.ts'),
  label: room,
}))

// One tree for all of them: a run of the lint takes seconds, however little it reads.
let found: Set<string> = new Set()
before(() => {
  const edges = [...forbidden, ...allowed, ...siblings, ...neighbours]
  assert.equal(new Set(edges.map(({ file }) => file)).size, edges.length, 'two edges share a file')
  found = reported(edges)
})

const labels = (edges: readonly Edge[]) => edges.map(({ label }) => label)

test('reports every import between rooms that the table forbids, in every form', () => {
  assert.ok(forbidden.length > 400, `${forbidden.length} edges`)
  assert.deepEqual(labels(forbidden.filter(({ file }) => !found.has(file))), [])
})

test('reports no import between rooms that the table allows', () => {
  assert.deepEqual(labels(allowed.filter(({ file }) => found.has(file))), [])
})

test('reports imports between sibling providers, protocols and standards', () => {
  assert.deepEqual(labels(siblings.filter(({ file }) => !found.has(file))), [])
})

test('allows files of one room to import each other', () => {
  assert.deepEqual(labels(neighbours.filter(({ file }) => found.has(file))), [])
})
