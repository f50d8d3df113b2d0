import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkHistory, type History, type TokenCall, type Violation } from './check-history.ts'

// A clean history, and one planted fault after the other.

const GRANT = 'user@torture.example'

/** Each token is called after the one before it: `a1` is the first of the life that begins with `a0`. */
function call(number: number, changes: Partial<TokenCall> = {}): TokenCall {
  return {
    grant: GRANT,
    life: 'a0',
    process: 'p1',
    presented: `a${number - 1}`,
    issued: `a${number}`,
    outcome: 'issued',
    startMs: number * 1000,
    endMs: number * 1000 + 50,
    delivered: true,
    ...changes,
  }
}

/** Three refreshes of one grant, all of them stored. */
function history(changes: Partial<History> = {}): History {
  return {
    calls: [call(1), call(2), call(3)],
    kills: [],
    pauses: [],
    lives: [{ grant: GRANT, first: 'a0', end: null }],
    committed: new Set(['a1', 'a2', 'a3']),
    granted: new Set(['a1', 'a2', 'a3']),
    expired: [],
    stored: new Map([[GRANT, { status: 'valid', token: 'a3' }]]),
    ...changes,
  }
}

/** The answer to the third call was cut; the stored token was then tried once more, and refused. */
function lostAnswer(changes: Partial<History> = {}): History {
  const cut = call(3, { delivered: false })
  const refused = call(4, { presented: 'a2', issued: null, outcome: 'refused', process: 'p2' })
  return history({
    calls: [call(1), call(2), cut, refused],
    lives: [{ grant: GRANT, first: 'a0', end: { reason: 'refresh_answer_lost' } }],
    committed: new Set(['a1', 'a2']),
    granted: new Set(['a1', 'a2']),
    expired: [{ grant: GRANT, reason: 'refresh_answer_lost' }],
    stored: new Map([[GRANT, { status: 'invalid', token: 'a2' }]]),
    ...changes,
  })
}

const kinds = (violations: readonly Violation[]) => violations.map(({ kind }) => kind)

describe('a history without fault', () => {
  const clean: { readonly [name: string]: History } = {
    'three refreshes': history(),
    'an answer that was cut, and the death that follows': lostAnswer(),
    'an answer whose process was killed before it could be stored': lostAnswer({
      calls: [call(1), call(2), call(3), ...lostAnswer().calls.slice(3)],
      kills: [{ process: 'p1', atMs: 3_060 }],
    }),
    'a call that was sent with the last breath of its process, and read after the kill': lostAnswer({
      calls: [call(1), call(2), call(3), ...lostAnswer().calls.slice(3)],
      kills: [{ process: 'p1', atMs: 2_997 }],
    }),
    'a call that was given up after its deadline, and the next one, which was read first': lostAnswer({
      calls: [
        call(1),
        call(2),
        call(3, { delivered: false, endMs: 18_010 }),
        call(4, { presented: 'a2', issued: null, outcome: 'refused', startMs: 17_990, process: 'p2' }),
      ],
    }),
    'the same while the database was away for a minute': lostAnswer({
      calls: [call(1), call(2), call(3), ...lostAnswer().calls.slice(3)],
      kills: [{ process: 'p1', atMs: 60_000 }],
      pauses: [{ process: null, fromMs: 3_010, untilMs: 63_000 }],
    }),
    'the same while another process was stopped, which may have held the row': lostAnswer({
      calls: [call(1), call(2), call(3), ...lostAnswer().calls.slice(3)],
      kills: [{ process: 'p1', atMs: 30_000 }],
      pauses: [{ process: 'p3', fromMs: 4_000, untilMs: 44_000 }],
    }),
    'a call that was not read, or failed, and is repeated': history({
      calls: [
        call(1),
        call(2, { issued: null, outcome: 'unread', delivered: false }),
        call(2, { issued: null, outcome: 'failed', startMs: 2_100, endMs: 2_150 }),
        call(2, { startMs: 2_200, endMs: 2_250 }),
        call(3),
      ],
    }),
    'a call that begins when the holder of the first is dead': history({
      calls: [
        call(1),
        call(2, { issued: null, outcome: 'failed', endMs: 9_000 }),
        call(2, { startMs: 2_500, endMs: 2_600, process: 'p2' }),
        call(3),
      ],
      kills: [{ process: 'p1', atMs: 2_400 }],
    }),
    'a token that was refused and is posted again': lostAnswer({
      calls: [
        ...lostAnswer().calls,
        call(5, { presented: 'a2', issued: null, outcome: 'refused', process: 'p3' }),
      ],
    }),
    'a death, and the user signs in again': lostAnswer({
      calls: [...lostAnswer().calls, call(5, { life: 'b0', presented: 'b0', issued: 'b1' })],
      lives: [...lostAnswer().lives, { grant: GRANT, first: 'b0', end: null }],
      committed: new Set(['a1', 'a2', 'b1']),
      granted: new Set(['a1', 'a2', 'b1']),
      stored: new Map([[GRANT, { status: 'valid', token: 'b1' }]]),
    }),
    'an answer lost before the grant had the new token: nothing to tell': lostAnswer({
      calls: [
        ...lostAnswer().calls,
        call(5, { life: 'b0', presented: 'b0', issued: 'b1', delivered: false }),
        call(6, { life: 'b0', presented: 'b0', issued: null, outcome: 'refused' }),
      ],
      lives: [...lostAnswer().lives, { grant: GRANT, first: 'b0', end: { reason: 'refresh_answer_lost' } }],
    }),
  }
  for (const [name, recorded] of Object.entries(clean)) {
    test(`reports nothing of ${name}`, () => assert.deepEqual(checkHistory(recorded), []))
  }
})

describe('a planted fault is reported', () => {
  const [, , , refused] = lostAnswer().calls
  assert.ok(refused)
  const planted: { readonly [name: string]: readonly [Violation['kind'], History] } = {
    'a spent token sent again though its answer was stored': [
      'replay',
      history({ calls: [call(1), call(2), call(3), call(4, { presented: 'a2', issued: null })] }),
    ],
    'a spent token sent again though its process was not killed before it could store the answer': [
      'replay',
      lostAnswer({
        calls: [call(1), call(2), call(3), refused],
        kills: [{ process: 'p1', atMs: 20_000 }],
      }),
    ],
    'a spent token sent again though its process could store the answer while another was stopped for long': [
      'replay',
      lostAnswer({
        calls: [call(1), call(2), call(3), refused],
        kills: [{ process: 'p1', atMs: 40_000 }],
        pauses: [{ process: 'p3', fromMs: 4_000, untilMs: 44_000 }],
      }),
    ],
    'a spent token sent again though it was another process that was killed': [
      'replay',
      lostAnswer({
        calls: [call(1), call(2), call(3), refused],
        kills: [{ process: 'p2', atMs: 3_010 }],
      }),
    ],
    'two calls of a grant at once': [
      'overlap',
      history({ calls: [call(1), call(2, { endMs: 3_010 }), call(3)] }),
    ],
    'a call that begins before the deadline of one that is given up': [
      'overlap',
      lostAnswer({
        calls: [
          call(1),
          call(2),
          call(3, { delivered: false, endMs: 18_010 }),
          call(4, { presented: 'a2', issued: null, outcome: 'refused', startMs: 16_900 }),
        ],
      }),
    ],
    'a call that begins before an answer that is read late, because its process was stopped': [
      'overlap',
      history({ calls: [call(1), call(2, { endMs: 19_500 }), call(3, { startMs: 18_000, endMs: 19_600 })] }),
    ],
    'an answer that a living process did not store': [
      'dropped-answer',
      history({ committed: new Set(['a1', 'a2']) }),
    ],
    'an older token in the database': [
      'not-the-last-token',
      history({ stored: new Map([[GRANT, { status: 'valid', token: 'a2' }]]) }),
    ],
    'a death for another reason': [
      'wrong-reason',
      lostAnswer({ lives: [{ grant: GRANT, first: 'a0', end: { reason: 'invalid_grant' } }] }),
    ],
    'a death that is told with another reason': [
      'wrong-reason',
      lostAnswer({ expired: [{ grant: GRANT, reason: 'invalid_grant' }] }),
    ],
    'a death without a lost answer': [
      'needless-death',
      history({
        lives: lostAnswer().lives,
        expired: lostAnswer().expired,
        stored: new Map([[GRANT, { status: 'invalid', token: 'a3' }]]),
      }),
    ],
    'a grant that is dead at the end and was not seen to die': [
      'needless-death',
      history({ stored: new Map([[GRANT, { status: 'invalid', token: 'a3' }]]) }),
    ],
    'a death that was told to nobody': ['expired-events', lostAnswer({ expired: [] })],
    'a death that was told twice': [
      'expired-events',
      lostAnswer({ expired: [...lostAnswer().expired, ...lostAnswer().expired] }),
    ],
    'an end that was told and did not come': [
      'expired-events',
      history({ expired: [{ grant: GRANT, reason: 'refresh_answer_lost' }] }),
    ],
    'a grant that is gone': ['missing', history({ stored: new Map() })],
    'a dead grant that is valid in the database': [
      'missing',
      lostAnswer({ stored: new Map([[GRANT, { status: 'valid', token: 'a2' }]]) }),
    ],
  }
  for (const [name, [kind, recorded]] of Object.entries(planted)) {
    test(name, () => assert.ok(kinds(checkHistory(recorded)).includes(kind), kind))
  }
})
