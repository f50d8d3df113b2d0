import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Eldest, ThreadLinks } from './thread-links.ts'

interface Mail extends Eldest {
  readonly id: string
  readonly links: readonly string[]
}

const name = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h')
const mails = fc.uniqueArray(
  fc.record({ id: name, links: fc.array(name, { maxLength: 3 }), date: fc.nat(5) }),
  { selector: ({ id }) => id },
)

function joined(list: readonly Mail[]): ThreadLinks {
  const links = new ThreadLinks()
  const known: Mail[] = []
  for (const mail of list) {
    links.join(mail.id, mail.links, mail, (id) => known.filter((other) => other.id === id))
    known.push(mail)
  }
  return links
}

/** Threads by looking at every pair again and again. */
function plain(list: readonly Mail[]): ReadonlyMap<string, ReadonlySet<string>> {
  const sets = new Map<string, Set<string>>()
  const setOf = (id: string) => sets.get(id) ?? new Set([id])
  for (const { id, links } of list) {
    for (const link of links) {
      const all = new Set([...setOf(id), ...setOf(link)])
      for (const member of all) sets.set(member, all)
    }
  }
  return sets
}

test('messages are in one thread exactly when a chain of links joins them, in whatever order they come', () => {
  fc.assert(
    fc.property(mails, fc.infiniteStream(fc.nat()), (drawn, order) => {
      const list = drawn.map((mail) => ({ ...mail, root: mail.links[0] ?? mail.id }))
      const shuffled = list
        .map((mail) => ({ mail, at: order.next().value ?? 0 }))
        .sort((a, b) => a.at - b.at)
        .map(({ mail }) => mail)
      const wanted = plain(list)
      for (const links of [joined(list), joined(shuffled)]) {
        for (const a of list) {
          for (const b of list) {
            const together = a.id === b.id || (wanted.get(a.id)?.has(b.id) ?? false)
            assert.equal(links.keyOf(a.id) === links.keyOf(b.id), together)
          }
          const members = list.filter((mail) => mail.id === a.id || wanted.get(a.id)?.has(mail.id))
          const [eldest] = members.toSorted((x, y) => x.date - y.date || (x.root < y.root ? -1 : 1))
          const found = links.eldestOf(a.id)
          if (members.length > 1) assert.equal(found?.root, eldest?.root)
        }
      }
    }),
  )
})

test('a message that stands alone costs no entry', () => {
  const links = joined([{ id: 'a', links: [], date: 1, root: 'a' }])
  assert.equal(links.eldestOf('a'), undefined)
  assert.equal(links.keyOf('a'), 'a')
})
