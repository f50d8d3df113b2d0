import type { FullMessage } from '../../src/contract/message.ts'
import type { MessageQuery } from '../../src/core/ports/mail.ts'

/** One filter with a value that some messages of the mailbox fit, and how a message is seen to fit it. */
interface Choice {
  readonly name: keyof MessageQuery
  readonly query: Partial<MessageQuery>
  readonly fits: (message: FullMessage) => boolean
}

/** A combination of filters and the ids it must give, in order. */
export interface Combination {
  readonly query: Partial<MessageQuery>
  readonly expected: readonly string[]
}

/**
 * Every filter of a message list alone, and every two of different filters together, with values taken from the
 * messages themselves. What must come out is worked out from the list without filters, by the contract's words
 * (contract/email.md 3.2).
 *
 * @param whole  the list without filters, newest first
 * @param hasFile  what the provider takes for an attachment
 */
export function filterCombinations(
  whole: readonly FullMessage[],
  hasFile: (message: FullMessage) => boolean,
): readonly Combination[] {
  const choices = choicesOf(whole, hasFile)
  const pairs = choices.flatMap((one, at) =>
    choices
      .slice(at + 1)
      .filter(({ name }) => name !== one.name)
      .map((other) => [one, other]),
  )
  return [...choices.map((one) => [one]), ...pairs].map((chosen) => ({
    query: Object.assign({}, ...chosen.map(({ query }) => query)),
    expected: whole.filter((message) => chosen.every(({ fits }) => fits(message))).map(({ id }) => id),
  }))
}

function choicesOf(
  whole: readonly FullMessage[],
  hasFile: (message: FullMessage) => boolean,
): readonly Choice[] {
  const emailsOf = (pick: (message: FullMessage) => FullMessage['to']) =>
    whole.flatMap((message) => pick(message).map(({ email }) => email)).filter((email) => email.includes('@'))
  const everyone = (m: FullMessage) => [...m.from, ...m.to, ...m.cc, ...m.bcc]
  const has = (list: FullMessage['to'], email: string) =>
    list.some((one) => one.email.toLowerCase() === email.toLowerCase())
  const choices: Choice[] = []
  for (const field of ['from', 'to', 'cc', 'bcc'] as const) {
    const email = common(emailsOf((message) => message[field]))
    if (email === undefined) continue
    choices.push({
      name: field,
      query: { [field]: email.toUpperCase() },
      fits: (m) => has(m[field], email),
    })
  }
  const [first, second] = [common(emailsOf(everyone)), rare(emailsOf(everyone))]
  const word = common(whole.flatMap(({ subject }) => subject.match(/\p{L}{4,}/gu) ?? []))
  const folder = common(whole.flatMap(({ folders }) => folders))
  const thread = common(whole.map(({ thread_id }) => thread_id))
  const dates = whole.map(({ date }) => date)
  const [later, earlier] = [
    dates[Math.floor(dates.length / 4)] ?? 0,
    dates[Math.floor(dates.length * 0.8)] ?? 0,
  ]
  if (first !== undefined && second !== undefined) {
    const anyEmail = [first, second]
    choices.push({
      name: 'anyEmail',
      query: { anyEmail },
      fits: (m) => anyEmail.some((email) => has(everyone(m), email)),
    })
  }
  if (word !== undefined) {
    choices.push({
      name: 'subject',
      query: { subject: word.toUpperCase() },
      fits: (m) => m.subject.toLowerCase().includes(word.toLowerCase()),
    })
  }
  if (folder !== undefined) {
    choices.push({ name: 'in', query: { in: folder }, fits: (m) => m.folders.includes(folder) })
  }
  if (thread !== undefined) {
    choices.push({ name: 'threadId', query: { threadId: thread }, fits: (m) => m.thread_id === thread })
  }
  for (const value of [true, false]) {
    choices.push({ name: 'unread', query: { unread: value }, fits: (m) => m.unread === value })
    choices.push({ name: 'starred', query: { starred: value }, fits: (m) => m.starred === value })
    choices.push({
      name: 'hasAttachment',
      query: { hasAttachment: value },
      fits: (m) => hasFile(m) === value,
    })
  }
  choices.push({ name: 'receivedBefore', query: { receivedBefore: later }, fits: (m) => m.date < later })
  choices.push({ name: 'receivedAfter', query: { receivedAfter: earlier }, fits: (m) => m.date > earlier })
  return choices
}

function common(values: readonly string[]): string | undefined {
  return ranked(values)[0]
}

function rare(values: readonly string[]): string | undefined {
  return ranked(values).at(-1)
}

function ranked(values: readonly string[]): readonly string[] {
  const counts = new Map<string, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return [...counts].toSorted((one, other) => other[1] - one[1]).map(([value]) => value)
}
