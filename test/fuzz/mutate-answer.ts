/** What is done to one answer of a mail server. Places are parts of the whole, from 0 to 1. */
export type Mutation =
  | { readonly kind: 'cut' | 'stall' | 'reset'; readonly at: number }
  | { readonly kind: 'insert' | 'insert line'; readonly at: number; readonly text: string }
  | { readonly kind: 'delete'; readonly at: number; readonly length: number }
  | { readonly kind: 'repeat'; readonly at: number; readonly length: number; readonly times: number }
  | { readonly kind: 'drop line' | 'swap lines'; readonly at: number }
  | { readonly kind: 'number'; readonly at: number; readonly text: string }
  | { readonly kind: 'literal'; readonly text: string; readonly add: number }
  | { readonly kind: 'value'; readonly name: string; readonly text: string }
  | { readonly kind: 'tag' | 'verdict' | 'instead'; readonly text: string }
  | { readonly kind: 'flood'; readonly at: number; readonly text: string; readonly bytes: number }
  | { readonly kind: 'drip' }

/** What is written instead of a good answer, and how. */
interface Mutated {
  readonly text: string
  readonly outcome: 'go on' | 'end' | 'reset' | 'stall'
  readonly drips: boolean
}

const untouched = (text: string): Mutated => ({ text, outcome: 'go on', drips: false })

/** Mutates an answer, one misdeed after the other. */
export function mutate(answer: string, mutations: readonly Mutation[]): Mutated {
  return mutations.reduce((so, mutation) => {
    const next = mutated(so.text, mutation)
    return {
      ...next,
      outcome: so.outcome === 'go on' ? next.outcome : so.outcome,
      drips: so.drips || next.drips,
    }
  }, untouched(answer))
}

function mutated(text: string, mutation: Mutation): Mutated {
  const index = (at: number) => Math.min(text.length, Math.floor(at * (text.length + 1)))
  switch (mutation.kind) {
    case 'cut':
      return { ...untouched(text.slice(0, index(mutation.at))), outcome: 'end' }
    case 'reset':
      return { ...untouched(text.slice(0, index(mutation.at))), outcome: 'reset' }
    case 'stall':
      return { ...untouched(text.slice(0, index(mutation.at))), outcome: 'stall' }
    case 'insert': {
      const at = index(mutation.at)
      return untouched(text.slice(0, at) + mutation.text + text.slice(at))
    }
    case 'delete': {
      const at = index(mutation.at)
      return untouched(text.slice(0, at) + text.slice(at + mutation.length))
    }
    case 'repeat': {
      const at = index(mutation.at)
      const piece = text.slice(at, at + mutation.length)
      return untouched(text.slice(0, at) + piece.repeat(mutation.times) + text.slice(at))
    }
    case 'flood': {
      const at = index(mutation.at)
      const times = Math.ceil(mutation.bytes / mutation.text.length)
      return untouched(text.slice(0, at) + mutation.text.repeat(times) + text.slice(at))
    }
    case 'insert line':
      return untouched(ofLines(text, mutation.at, (rows, at) => rows.toSpliced(at, 0, mutation.text)))
    case 'drop line':
      return untouched(ofLines(text, mutation.at, (rows, at) => rows.toSpliced(at, 1)))
    case 'swap lines':
      return untouched(
        ofLines(text, mutation.at, (rows, at) => rows.toSpliced(at, 1).concat(rows.slice(at, at + 1))),
      )
    case 'number': {
      const all = [...text.matchAll(/\d+/g)]
      const one = all[Math.floor(mutation.at * all.length)]
      if (!one) return untouched(text)
      return untouched(text.slice(0, one.index) + mutation.text + text.slice(one.index + one[0].length))
    }
    case 'literal':
      return untouched(
        text.replace(/\{(\d+)\}/g, (_, size: string) => `{${mutation.text || Number(size) + mutation.add}}`),
      )
    case 'value':
      return untouched(withValue(text, mutation.name, mutation.text))
    case 'tag':
      return untouched(text.replace(/^(?!\*)\S+ (?=[A-Z]+ [^\r]*\r\n$)/m, `${mutation.text} `))
    case 'verdict':
      return untouched(
        text.replace(/^((?!\*)\S+ )[A-Z]+ [^\r]*\r\n$/m, (_, tag: string) => `${tag}${mutation.text}\r\n`),
      )
    case 'instead':
      return untouched(`${mutation.text}\r\n`)
    case 'drip':
      return { ...untouched(text), drips: true }
  }
}

function ofLines(
  text: string,
  place: number,
  change: (rows: readonly string[], at: number) => readonly string[],
): string {
  const rows = text.split('\r\n')
  return change(rows, Math.min(rows.length - 1, Math.floor(place * rows.length))).join('\r\n')
}

/** Replaces what follows a name in FETCH answers: an atom, a string or a list of one level or more. */
function withValue(text: string, name: string, value: string): string {
  return text.replaceAll(
    new RegExp(`${name.replace('.', '\\.')} (\\((?:[^()]|\\([^()]*\\))*\\)|"[^"]*"|[^ ()]+)`, 'g'),
    () => `${name} ${value}`,
  )
}
