import assert from 'node:assert/strict'

export interface Sample {
  readonly name: string
  readonly labels: ReadonlyMap<string, string>
  readonly value: number
}

export interface Scrape {
  readonly text: string
  readonly samples: readonly Sample[]
  /** name of a family → its type */
  readonly types: ReadonlyMap<string, string>
  /** Families that have a HELP line. */
  readonly helped: ReadonlySet<string>
  /** The sum over the series of that name with these labels; undefined where there is none. */
  value(name: string, labels?: { readonly [name: string]: string }): number | undefined
}

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"(?:,|$)/gy

/** Reads the text format of Prometheus, version 0.0.4; a line that is none fails the test. */
export function readPrometheusText(text: string): Scrape {
  const samples: Sample[] = []
  const types = new Map<string, string>()
  const helped = new Set<string>()
  for (const line of text.split('\n')) {
    const [, comment, family = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? []
    if (line.trim() === '') continue
    if (comment === 'TYPE') types.set(family, rest)
    else if (comment === 'HELP') helped.add(family)
    else samples.push(readSample(line))
  }
  return {
    text,
    samples,
    types,
    helped,
    value(name, labels = {}) {
      const fitting = samples.filter(
        (sample) =>
          sample.name === name &&
          Object.entries(labels).every(([label, value]) => sample.labels.get(label) === value),
      )
      return fitting.length === 0 ? undefined : fitting.reduce((sum, { value }) => sum + value, 0)
    },
  }
}

function readSample(line: string): Sample {
  const match = SAMPLE.exec(line)
  assert.ok(match, `no sample: ${line}`)
  const [, name = '', inBraces = '', value = ''] = match
  const labels = new Map([...inBraces.matchAll(LABEL)].map(([, label = '', text = '']) => [label, text]))
  const length = [...inBraces.matchAll(LABEL)].reduce((sum, [whole]) => sum + whole.length, 0)
  assert.equal(length, inBraces.length, `labels that can't be read: ${line}`)
  return { name, labels, value: Number(value) }
}
