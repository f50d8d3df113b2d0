const PATIENCE_MS = 20_000
const STEP_MS = 10

/** Looks again and again until there is something to see. Fails loudly when there never is. */
export async function eventually<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  const deadlineMs = performance.now() + PATIENCE_MS
  for (;;) {
    const seen = await look()
    if (seen !== undefined) return seen
    if (performance.now() > deadlineMs) throw new Error(`never seen: ${what}`)
    await new Promise((resolve) => {
      setTimeout(resolve, STEP_MS)
    })
  }
}
