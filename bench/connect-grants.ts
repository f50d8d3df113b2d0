const CONCURRENCY = 8

/** Makes a connector and `count` grants through the API, as a user would. */
export async function connectGrants(url: string, apiKey: string, count: number): Promise<void> {
  const post = async (path: string, body: object) => {
    const response = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text}`)
  }
  await post('/v3/connectors', {
    provider: 'google',
    settings: { client_id: 'bench', client_secret: 'bench-secret' },
    scope: ['openid', 'email'],
  })
  let next = 0
  const worker = async () => {
    while (next < count) {
      next += 1
      const settings = { refresh_token: `refresh-${next}` }
      await post('/v3/connect/custom', { provider: 'google', settings })
    }
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, worker))
}
