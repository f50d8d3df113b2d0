/** The part of OData's `$filter` that mail needs, really evaluated. Throws on anything else. */
export function parseFilter(text: string): (item: Record<string, unknown>) => boolean {
  const tokens = [
    ...text.matchAll(/'(?:[^']|'')*'|\d{4}-\d\d-\d\dT[\d:.]+Z|[A-Za-z_]+(?:\/[A-Za-z_]+)*|[(),]/g),
  ].map(([token]) => token)
  let at = 0
  const take = (wanted?: string) => {
    const token = tokens[at++]
    if (token === undefined || (wanted !== undefined && token !== wanted))
      throw new Error(`bad filter at ${token}`)
    return token
  }
  type Check = (item: Record<string, unknown>) => boolean
  const or = (): Check => {
    let left = and()
    while (tokens[at] === 'or') {
      at += 1
      const [one, other] = [left, and()]
      left = (item) => one(item) || other(item)
    }
    return left
  }
  const and = (): Check => {
    let left = term()
    while (tokens[at] === 'and') {
      at += 1
      const [one, other] = [left, term()]
      left = (item) => one(item) && other(item)
    }
    return left
  }
  const term = (): Check => {
    if (tokens[at] === '(') {
      at += 1
      const inner = or()
      take(')')
      return inner
    }
    const name = take()
    if (name === 'contains') {
      take('(')
      const path = take()
      take(',')
      const part = String(valueOf(take())).toLowerCase()
      take(')')
      return (item) => {
        const value = read(item, path)
        return typeof value === 'string' && value.toLowerCase().includes(part)
      }
    }
    const operator = take()
    const value = valueOf(take())
    return (item) => compare(read(item, name), operator, value)
  }
  const check = or()
  if (at !== tokens.length) throw new Error(`bad filter: ${tokens[at]} is left over`)
  return check
}

/** The property that stands first. */
export function firstProperty(text: string): string {
  return /^\(*([A-Za-z]+)/.exec(text)?.[1] ?? ''
}

function valueOf(token: string): unknown {
  if (token.startsWith("'")) return token.slice(1, -1).replaceAll("''", "'")
  if (token === 'true' || token === 'false') return token === 'true'
  return token
}

function read(item: Record<string, unknown>, path: string): unknown {
  return path
    .split('/')
    .reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], item)
}

function compare(left: unknown, operator: string, right: unknown): boolean {
  const isTime = typeof right === 'string' && /^\d{4}-\d\d-\d\dT/.test(right)
  const [one, other] = isTime
    ? [Date.parse(String(left)), Date.parse(right)]
    : [
        typeof left === 'string' ? left.toLowerCase() : left,
        typeof right === 'string' ? right.toLowerCase() : right,
      ]
  switch (operator) {
    case 'eq':
      return one === other
    case 'ne':
      return one !== other
    case 'gt':
      return Number(one) > Number(other)
    case 'ge':
      return Number(one) >= Number(other)
    case 'lt':
      return Number(one) < Number(other)
    case 'le':
      return Number(one) <= Number(other)
    default:
      throw new Error(`bad operator ${operator}`)
  }
}
