import type { ImapScript } from './imap-script-server.ts'

export interface ScriptMessage {
  uid: number
  flags: Set<string>
  /** header block without the empty line, CRLF */
  readonly headers: string
  readonly body: string
  readonly date?: string
}

export interface ScriptFolder {
  readonly path: string
  readonly messages?: readonly {
    readonly headers: string
    readonly body?: string
    readonly flags?: readonly string[]
  }[]
}

export interface MailFolder {
  path: string
  uidValidity: number
  uidNext: number
  messages: ScriptMessage[]
}

/** The folders of the scripted server: enough of IMAP4rev1 for one user, in memory. */
export class ScriptMailbox {
  readonly folders = new Map<string, MailFolder>()
  readonly script: ImapScript

  constructor(script: ImapScript) {
    this.script = script
    for (const { path, messages } of script.folders ?? [{ path: 'INBOX' }]) {
      const folder = this.create(path)
      for (const { headers, body = 'text', flags = [] } of messages ?? []) {
        folder.messages.push({ uid: folder.uidNext++, flags: new Set(flags), headers, body })
      }
    }
  }

  create(path: string): MailFolder {
    const folder = { path, uidValidity: 1000 + this.folders.size, uidNext: 1, messages: [] }
    this.folders.set(path, folder)
    return folder
  }

  folder(path: string): MailFolder {
    const folder = this.folders.get(path)
    if (!folder) throw new Error(`no folder ${path}`)
    return folder
  }

  session(): ScriptSession {
    return new ScriptSession(this)
  }
}

const sourceOf = (message: ScriptMessage) => `${message.headers}\r\n\r\n${message.body}`
const quoted = (text: string) => `"${text.replace(/["\\]/g, '\\$&')}"`
/** Modified UTF-7 is left as it came: the tests look at it. */
const unquote = (text: string) =>
  text.trim().replace(/^"(.*)"$/s, (_, inner: string) => inner.replace(/\\(.)/g, '$1'))
const words = (args: string) => args.match(/"(?:[^"\\]|\\.)*"|\S+/g) ?? []

class ScriptSession {
  readonly #mailbox: ScriptMailbox
  #open: MailFolder | undefined
  /** what the tagged answer says */
  verdict = 'OK done'

  constructor(mailbox: ScriptMailbox) {
    this.#mailbox = mailbox
  }

  /** Does the command; gives the untagged answers. */
  answer(name: string, args: string): string[] {
    const { script, folders } = this.#mailbox
    const separator = script.separator === undefined ? '/' : script.separator
    const listed = separator === null ? 'NIL' : quoted(separator)
    this.verdict = 'OK done'
    const [first = '', second = ''] = words(args).map(unquote)
    switch (name) {
      case 'CAPABILITY':
        return [`* CAPABILITY ${script.capabilities ?? 'IMAP4rev1'}\r\n`]
      case 'NAMESPACE':
        return [`* NAMESPACE ((${quoted(script.prefix ?? '')} ${listed})) NIL NIL\r\n`]
      case 'LIST':
      case 'LSUB': {
        const shown = [...folders.values()].filter(({ path }) => second === '*' || second === path)
        return shown.map(
          ({ path }) => `* ${name} (${script.attributes?.[path] ?? ''}) ${listed} ${quoted(path)}\r\n`,
        )
      }
      case 'STATUS': {
        const folder = folders.get(first)
        if (!folder) return this.#no('NO no such folder')
        const unseen = folder.messages.filter(({ flags }) => !flags.has('\\Seen')).length
        return [`* STATUS ${quoted(first)} (MESSAGES ${folder.messages.length} UNSEEN ${unseen})\r\n`]
      }
      case 'SELECT':
      case 'EXAMINE': {
        this.#open = folders.get(first)
        if (!this.#open) return this.#no('NO no such folder')
        this.verdict = `OK [READ-${name === 'SELECT' ? 'WRITE' : 'ONLY'}] open`
        const { messages, uidValidity, uidNext } = this.#open
        return [
          `* ${messages.length} EXISTS\r\n`,
          '* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\r\n',
          `* OK [UIDVALIDITY ${uidValidity}] ok\r\n* OK [UIDNEXT ${uidNext}] ok\r\n`,
        ]
      }
      case 'UID SEARCH':
        return [`* SEARCH ${this.#search(args).join(' ')}\r\n`]
      case 'UID FETCH':
        return this.#inSet(first).map(([message, seq]) => fetchLine(message, seq, args))
      case 'UID STORE':
        for (const [message] of this.#inSet(first)) store(message, args)
        return []
      case 'UID COPY':
      case 'UID MOVE': {
        const target = folders.get(second)
        if (!target) return this.#no('NO [TRYCREATE] no such folder')
        const moved = this.#inSet(first).map(([message]) => message)
        for (const message of moved) {
          target.messages.push({ ...message, flags: new Set(message.flags), uid: target.uidNext++ })
        }
        return name === 'UID MOVE' ? this.#expunge((message) => moved.includes(message)) : []
      }
      case 'EXPUNGE':
        return this.#expunge(({ flags }) => flags.has('\\Deleted'))
      case 'UID EXPUNGE': {
        const set = this.#inSet(first).map(([message]) => message)
        return this.#expunge((message) => message.flags.has('\\Deleted') && set.includes(message))
      }
      case 'CREATE':
        if (folders.has(first)) return this.#no('NO exists')
        this.#mailbox.create(first)
        return []
      case 'DELETE':
        return folders.delete(first) ? [] : this.#no('NO no such folder')
      case 'RENAME': {
        const folder = folders.get(first)
        if (!folder) return this.#no('NO no such folder')
        folders.delete(first)
        folders.set(second, { ...folder, path: second })
        return []
      }
      case 'CLOSE':
        this.#expunge(({ flags }) => flags.has('\\Deleted'))
        this.#open = undefined
        return []
      case 'ID':
        return ['* ID NIL\r\n']
      case 'ENABLE':
        return ['* ENABLED\r\n']
      case 'UNSELECT':
        this.#open = undefined
        return []
      case 'LOGIN':
      case 'NOOP':
      case 'SUBSCRIBE':
      case 'UNSUBSCRIBE':
        return []
      case 'LOGOUT':
        return ['* BYE see you\r\n']
      default:
        return this.#no('BAD unknown command')
    }
  }

  #no(verdict: string): string[] {
    this.verdict = verdict
    return []
  }

  #expunge(isGone: (message: ScriptMessage) => boolean): string[] {
    const messages = this.#open?.messages ?? []
    const answers: string[] = []
    for (let at = messages.length - 1; at >= 0; at -= 1) {
      const message = messages[at]
      if (!message || !isGone(message)) continue
      messages.splice(at, 1)
      answers.push(`* ${at + 1} EXPUNGE\r\n`)
    }
    return answers
  }

  #inSet(set: string): [ScriptMessage, number][] {
    const messages = this.#open?.messages ?? []
    return messages.flatMap((message, at) => (isInSet(set, message.uid) ? [[message, at + 1]] : []))
  }

  #search(args: string): number[] {
    const messages = this.#open?.messages ?? []
    const keys = words(args)
    const matches = (message: ScriptMessage, seq: number) => {
      for (let at = 0; at < keys.length; at += 1) {
        const key = keys[at]?.toUpperCase() ?? ''
        const has = (flag: string) => message.flags.has(flag)
        if (key === 'DELETED' ? !has('\\Deleted') : key === 'UNDELETED' && has('\\Deleted')) return false
        if (key === 'UNSEEN' ? has('\\Seen') : key === 'SEEN' && !has('\\Seen')) return false
        if (key === 'UID' && !isInSet(keys[++at] ?? '', message.uid)) return false
        if (/^[\d:,*]+$/.test(key) && !isInSet(key, seq)) return false
        if (key === 'HEADER') {
          const [name, value] = [unquote(keys[++at] ?? ''), unquote(keys[++at] ?? '')]
          const field = new RegExp(`^${name}: (.*)$`, 'im').exec(message.headers)?.[1] ?? ''
          if (!field.includes(value)) return false
        }
      }
      return true
    }
    return messages.flatMap((message, at) => (matches(message, at + 1) ? [message.uid] : []))
  }
}

function isInSet(set: string, number: number): boolean {
  return set.split(',').some((part) => {
    const [from = '', to = from] = part.split(':')
    const [low, high] = [from, to].map((end) => (end === '*' ? Number.MAX_SAFE_INTEGER : Number(end)))
    return number >= Math.min(low ?? 0, high ?? 0) && number <= Math.max(low ?? 0, high ?? 0)
  })
}

function store(message: ScriptMessage, args: string): void {
  const flags = (/\(([^)]*)\)/.exec(args)?.[1] ?? '').split(' ').filter(Boolean)
  for (const flag of flags) {
    if (/-FLAGS/i.test(args)) message.flags.delete(flag)
    else message.flags.add(flag)
  }
}

/** The answer to a FETCH: literals, as most servers write them. */
export function fetchLine(message: ScriptMessage, seq: number, args: string): string {
  const items = [`UID ${message.uid}`]
  const literal = (name: string, text: string) =>
    items.push(`${name} {${Buffer.byteLength(text)}}\r\n${text}`)
  if (/\bFLAGS\b/i.test(args)) items.push(`FLAGS (${[...message.flags].join(' ')})`)
  if (/INTERNALDATE/i.test(args)) {
    items.push(`INTERNALDATE "${message.date ?? '02-Mar-2026 10:00:00 +0000'}"`)
  }
  if (/RFC822\.SIZE/i.test(args)) items.push(`RFC822.SIZE ${Buffer.byteLength(sourceOf(message))}`)
  if (/BODYSTRUCTURE/i.test(args)) items.push(`BODYSTRUCTURE ${structureOf(message)}`)
  for (const [, section = '', start, length] of args.matchAll(
    /BODY\.PEEK\[([^\]]*)\](?:<(\d+)(?:\.(\d+))?>)?/gi,
  )) {
    const text = /^HEADER/i.test(section)
      ? `${message.headers}\r\n\r\n`
      : section === ''
        ? sourceOf(message)
        : message.body
    const from = Number(start ?? 0)
    const piece = length === undefined ? text.slice(from) : text.slice(from, from + Number(length))
    literal(`BODY[${section}]${start === undefined ? '' : `<${from}>`}`, piece)
  }
  return `* ${seq} FETCH (${items.join(' ')})\r\n`
}

function structureOf({ headers, body }: ScriptMessage): string {
  const type = /^Content-Type: (\w+)\/([\w-]+)/im.exec(headers)
  const encoding = /^Content-Transfer-Encoding: (\S+)/im.exec(headers)?.[1] ?? '7BIT'
  const size = Buffer.byteLength(body)
  if (!type || type[1]?.toLowerCase() === 'text') {
    return `("TEXT" "${type?.[2] ?? 'PLAIN'}" ("CHARSET" "utf-8") NIL NIL "${encoding}" ${size} ${body.split('\n').length})`
  }
  return `("${type[1]}" "${type[2]}" ("NAME" "file.bin") NIL NIL "${encoding}" ${size} NIL ("attachment" NIL) NIL)`
}
