import assert from 'node:assert/strict'

/** Watches all that leaves a server, and says whether one of the planted secrets is in it. */
export interface CanaryWatch {
  /** Makes a secret that can be mistaken for nothing else; only signs that every encoding leaves alone. */
  plant(name: string): string
  /** Takes a secret that somebody else made. */
  add(name: string, secret: string): string
  /** Keeps an answer, headers and all, for `assertClean`. */
  keep(at: string, answer: { readonly text: string; readonly headers: Headers }): void
  /** Fails where a secret is in anything kept, or in these files and texts. */
  assertClean(more: readonly { readonly name: string; readonly bytes: Buffer | string }[]): void
}

let planted = 0

export function canaryWatch(): CanaryWatch {
  const secrets = new Map<string, string>()
  const answers: { readonly name: string; readonly bytes: string }[] = []
  return {
    plant(name) {
      planted += 1
      return this.add(name, `CANARY-${name}-${planted}-9f2c71d0b4`)
    },
    add(name, secret) {
      assert.ok(secret.length >= 10, `${name} is too short to be told from chance`)
      secrets.set(name, secret)
      return secret
    },
    keep(at, { text, headers }) {
      answers.push({ name: `the answer to ${at}`, bytes: `${text}\n${JSON.stringify([...headers])}` })
    },
    assertClean(more) {
      assert.ok(answers.length > 0 && more.length > 0 && secrets.size > 0)
      for (const { name, bytes } of [...answers, ...more]) {
        for (const [secretName, secret] of secrets) {
          for (const form of formsOf(secret)) {
            assert.ok(!bytes.includes(form), `${secretName} is in ${name} (as ${form.slice(0, 24)}…)`)
          }
        }
      }
    },
  }
}

/** A secret as it is, percent-encoded, and as base64 shows it wherever in a longer text it stands. */
function formsOf(secret: string): readonly string[] {
  const base64 = [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), Buffer.from(secret)]).toString('base64')
    // The first and last signs also depend on what stands beside the secret.
    return text.slice(shift === 0 ? 0 : 4, -4)
  })
  return [secret, encodeURIComponent(secret), ...base64]
}
