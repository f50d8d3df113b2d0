import { isJsonObject } from '../kit/json.ts'

/** A `fields` mask, read: name → mask of what is below it (empty: all of it). */
type Mask = Map<string, Mask>

/** Keeps of an answer what its `fields` parameter names: `a,b/c,d(e,f)`. Without a mask everything stays. */
export function applyFields(value: unknown, fields: string | null): unknown {
  if (!fields || fields === '*') return value
  return keep(value, readMask(fields))
}

function readMask(text: string): Mask {
  let at = 0
  const list = (): Mask => {
    const mask: Mask = new Map()
    while (at < text.length && text[at] !== ')') {
      if (text[at] === ',') at += 1
      else path(mask)
    }
    at += 1
    return mask
  }
  const path = (mask: Mask): void => {
    const start = at
    while (at < text.length && !',/()'.includes(text[at] ?? '')) at += 1
    const name = text.slice(start, at).trim()
    const below = mask.get(name) ?? new Map<string, Mask>()
    mask.set(name, below)
    if (text[at] === '/') {
      at += 1
      path(below)
    } else if (text[at] === '(') {
      at += 1
      for (const [child, deeper] of list()) below.set(child, deeper)
    }
  }
  return list()
}

function keep(value: unknown, mask: Mask): unknown {
  if (mask.size === 0) return value
  if (Array.isArray(value)) return value.map((entry) => keep(entry, mask))
  if (!isJsonObject(value)) return value
  const kept: { [name: string]: unknown } = {}
  for (const [name, below] of mask) {
    if (name in value) kept[name] = keep(value[name], below)
  }
  return kept
}
