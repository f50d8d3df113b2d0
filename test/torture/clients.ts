import { callApi, type ServerProcess } from '../support/server-process.ts'
import { sleep } from '../../src/kit/deadline.ts'
import type { Life } from './check-history.ts'
import type { Random } from './random.ts'
import { KEY, type ServerProcesses } from './server-processes.ts'
import type { TokenServer } from './token-server.ts'

interface Account {
  readonly email: string
  /** known once it is connected */
  id: string
  life: { grant: string; first: string; end: Life['end'] }
  isBeingHealed: boolean
}

/** The applications that use the grants: they read, re-authenticate, and sign the user in again when a grant is dead. */
export interface Clients {
  readonly lives: readonly Life[]
  /** How often each status was answered; `gone` where nothing was. */
  readonly answers: ReadonlyMap<string, number>
  /** Answers that the contract does not allow here. */
  readonly oddities: readonly string[]
  /** Makes the connector and signs every user in. */
  connectAll(): Promise<void>
  /** Reads until `isOver`. */
  run(workers: number, isOver: () => boolean): Promise<void>
  /** Has the provider say once more of every grant what it thinks of it, so that what is still open is settled. */
  settle(): Promise<void>
}

const CALL_MS = 25_000
/** Of 100 uses of a grant so many are a re-authentication with a token that was seen. */
const RECONNECTS = 25
/** Of 100 requests so many may go to a process that is stopped. */
const ASK_STOPPED = 2
const EXPECTED = new Set([200, 201, 401, 429, 503, 504])

type Answer = Awaited<ReturnType<typeof callApi>>

export function createClients(options: {
  readonly grants: number
  readonly random: Random
  readonly tokens: TokenServer
  readonly servers: ServerProcesses
}): Clients {
  const { random, tokens, servers } = options
  const lives: { grant: string; first: string; end: Life['end'] }[] = []
  const answers = new Map<string, number>()
  const oddities: string[] = []

  const accounts = Array.from({ length: options.grants }, (_, i): Account => {
    const email = `user-${i}@torture.example`
    return { email, id: '', life: begin(email), isBeingHealed: false }
  })

  function begin(email: string): Account['life'] {
    const life = { grant: email, first: tokens.consent(email), end: null }
    lives.push(life)
    return life
  }

  /** Asks a random process; null when no answer came. */
  async function ask(method: string, path: string, body?: object): Promise<Answer | null> {
    const up = servers.up(random.between(1, 100) <= ASK_STOPPED)
    if (up.length === 0) {
      await sleep(100)
      return null
    }
    const server: ServerProcess = random.pick(up)
    const answer = await bounded(callApi(server, KEY, method, path, body)).catch(() => null)
    const status = answer ? String(answer.status) : 'gone'
    answers.set(status, (answers.get(status) ?? 0) + 1)
    if (answer && !EXPECTED.has(answer.status)) {
      oddities.push(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
    }
    return answer
  }

  const connect = (first: string) =>
    ask('POST', '/v3/connect/custom', { provider: 'yahoo', settings: { refresh_token: first } })

  /** Repeats a request until it is answered with something else than "not now". */
  async function insist(send: () => Promise<Answer | null>): Promise<Answer> {
    for (;;) {
      const answer = await send()
      if (answer && answer.status < 500 && answer.status !== 429) return answer
      await sleep(200 + random.next() * 300)
    }
  }

  const invalidReason = async (id: string): Promise<string | null> => {
    const { body } = await insist(() => ask('GET', `/v3/grants/${id}`))
    return body.data.grant_status === 'invalid' ? body.data.reason.code : null
  }

  /** Signs the user in, again and again where answers get lost. */
  async function signIn(account: Account): Promise<void> {
    for (;;) {
      const { status, body } = await insist(() => connect(account.life.first))
      if (status === 201) {
        account.id = body.data.id
        return
      }
      if (status !== 401) throw new Error(`connecting was answered ${status}: ${JSON.stringify(body)}`)
      endLife(account, account.id === '' ? '' : ((await invalidReason(account.id)) ?? ''))
    }
  }

  function endLife(account: Account, reason: string): void {
    account.life.end = { reason }
    account.life = begin(account.email)
  }

  /** Whether the provider's last word, not older than that, is a new token. */
  function isConfirmed({ life }: Account, fromMs: number): boolean {
    const last = tokens.calls.findLast((call) => call.life === life.first)
    return last !== undefined && last.startMs >= fromMs && last.outcome === 'issued' && last.delivered
  }

  async function heal(account: Account): Promise<void> {
    if (account.isBeingHealed) return
    account.isBeingHealed = true
    try {
      const reason = await invalidReason(account.id)
      if (reason === null) return
      endLife(account, reason)
      await signIn(account)
    } finally {
      account.isBeingHealed = false
    }
  }

  async function use(account: Account): Promise<void> {
    const isReconnect = random.between(1, 100) <= RECONNECTS
    const answer = isReconnect
      ? await connect(account.life.first)
      : await ask('GET', `/v3/grants/${account.id}/messages?limit=1`)
    if (answer?.status === 401) await heal(account)
  }

  return {
    lives,
    answers,
    oddities,
    async connectAll() {
      const settings = { client_id: 'torture-app', client_secret: 'torture-app-secret' }
      const made = await insist(() => ask('POST', '/v3/connectors', { provider: 'yahoo', settings }))
      if (made.status !== 201) throw new Error(`no connector: ${JSON.stringify(made.body)}`)
      const waiting = [...accounts]
      const worker = async () => {
        for (let next = waiting.pop(); next; next = waiting.pop()) await signIn(next)
      }
      await Promise.all(Array.from({ length: 8 }, worker))
    },
    async run(workers, isOver) {
      const worker = async () => {
        while (!isOver()) {
          const account = random.pick(accounts)
          if (!account.isBeingHealed) await use(account)
          else await sleep(20)
        }
      }
      await Promise.all(Array.from({ length: workers }, worker))
    },
    async settle() {
      const fromMs = performance.now()
      const waiting = [...accounts]
      const worker = async () => {
        for (let next = waiting.pop(); next; next = waiting.pop()) {
          const { status } = await insist(() => connect(next.life.first))
          if (status === 201) {
            // While a refresh may still be answered, which it can't be after a kill, the token that lives is enough.
            if (!isConfirmed(next, fromMs)) waiting.unshift(next)
            await sleep(50)
            continue
          }
          const reason = await invalidReason(next.id)
          if (reason !== null) next.life.end = { reason }
        }
      }
      await Promise.all(Array.from({ length: 8 }, worker))
    },
  }
}

async function bounded<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const tooLong = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer')), CALL_MS)
  })
  try {
    return await Promise.race([work, tooLong])
  } finally {
    clearTimeout(timer)
  }
}
