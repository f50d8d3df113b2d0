/**
 * Makes a connector and `count` grants through the API, as a user would.
 *
 * @param first  how many there are already, with their connector
 * @returns how long the grants took, in milliseconds
 */
export async function connectGrants(
  url: string,
  apiKey: string,
  count: number,
  concurrency = 8,
  first = 0,
): Promise<number> {
  const post = async (path: string, body: object) => {
    const response = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text}`)
  }
  if (first === 0) {
    await post('/v3/connectors', {
      provider: 'google',
      settings: { client_id: 'bench', client_secret: 'bench-secret' },
      scope: ['openid', 'email'],
    })
  }
  const began = performance.now()
  let next = first
  const worker = async () => {
    while (next < first + count) {
      next += 1
      const settings = { refresh_token: `refresh-${next}` }
      await post('/v3/connect/custom', { provider: 'google', settings })
    }
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
  return performance.now() - began
}
