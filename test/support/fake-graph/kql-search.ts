import type { FakeMessage } from './seed.ts'

/**
 * The part of KQL that mail needs. As at the real service, words are matched by beginning, days are whole, and `to:`
 * also finds Cc: callers must check again.
 */
export function parseSearch(quoted: string): (message: FakeMessage) => boolean {
  const [, inner] = /^"((?:[^"\\]|\\.)*)"$/s.exec(quoted) ?? []
  if (inner === undefined) throw new Error('$search must stand in quotes')
  const text = inner.replace(/\\(.)/g, '$1')
  const tokens = text.match(/\(|\)|[^\s()":]+(?:[:<>=]+)(?:"[^"]*"|[^\s()]+)|"[^"]*"|[^\s()]+/g) ?? []
  let at = 0
  type Check = (message: FakeMessage) => boolean
  const or = (): Check => {
    let left = and()
    while (tokens[at] === 'OR') {
      at += 1
      const [one, other] = [left, and()]
      left = (message) => one(message) || other(message)
    }
    return left
  }
  const and = (): Check => {
    let left = term()
    while (at < tokens.length && tokens[at] !== 'OR' && tokens[at] !== ')') {
      if (tokens[at] === 'AND') at += 1
      const [one, other] = [left, term()]
      left = (message) => one(message) && other(message)
    }
    return left
  }
  const term = (): Check => {
    const token = tokens[at++] ?? ''
    if (token === '(') {
      const inside = or()
      if (tokens[at++] !== ')') throw new Error('a bracket is open')
      return inside
    }
    const [, name, operator, value] = /^(\w+)(:|>=|<=)(.*)$/s.exec(token) ?? []
    return name === undefined
      ? words(token)
      : property(name.toLowerCase(), operator ?? '', unquoted(value ?? ''))
  }
  const check = tokens.length === 0 ? () => false : or()
  if (at !== tokens.length) throw new Error(`bad search at ${tokens[at]}`)
  return check
}

function unquoted(text: string): string {
  return text.replace(/^"|"$/g, '').toLowerCase()
}

function words(token: string): (message: FakeMessage) => boolean {
  const wanted = unquoted(token)
  return (message) =>
    [message.subject ?? '', message.body?.content ?? '', ...addresses(message, ['from'])].some((text) =>
      text.toLowerCase().includes(wanted),
    )
}

type AddressField = 'from' | 'toRecipients' | 'ccRecipients' | 'bccRecipients'

function addresses(message: FakeMessage, fields: readonly AddressField[]): string[] {
  return fields.flatMap((field) => {
    const value = message[field]
    const list = Array.isArray(value) ? value : value ? [value] : []
    return list.map(({ emailAddress }) => `${emailAddress.name ?? ''} ${emailAddress.address}`)
  })
}

function property(name: string, operator: string, value: string): (message: FakeMessage) => boolean {
  const among = (fields: readonly AddressField[]) => (message: FakeMessage) =>
    addresses(message, fields).some((text) => text.toLowerCase().includes(value))
  switch (name) {
    case 'from':
      return among(['from'])
    case 'to':
      return among(['toRecipients', 'ccRecipients'])
    case 'cc':
      return among(['ccRecipients'])
    case 'bcc':
      return among(['bccRecipients'])
    case 'participants':
      return among(['from', 'toRecipients', 'ccRecipients', 'bccRecipients'])
    case 'subject':
      return (message) => (message.subject ?? '').toLowerCase().includes(value)
    case 'hasattachment':
      return (message) => (message.hasAttachments === true) === (value === 'true')
    case 'received':
      return (message) => {
        const day = (message.receivedDateTime ?? '').slice(0, 10)
        return operator === '>=' ? day >= value : operator === '<=' ? day <= value : day === value
      }
    default:
      throw new Error(`no such property: ${name}`)
  }
}
