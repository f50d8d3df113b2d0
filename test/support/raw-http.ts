import { connect } from 'node:net'

export interface RawAnswer {
  readonly status: number
  /** header lines as they came, `name: value` with the server's own case */
  readonly headers: readonly string[]
  readonly body: string
  header(name: string): string | undefined
}

/** Sends exact bytes and reads the one answer until the server closes; add `connection: close` to the request. */
export function rawRequest(port: number, request: string): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(request))
    const chunks: Buffer[] = []
    socket.setTimeout(10_000, () => socket.destroy(new Error('the server did not close the connection')))
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('error', reject)
    socket.on('close', () => resolve(parseAnswer(Buffer.concat(chunks).toString('utf8'))))
  })
}

function parseAnswer(text: string): RawAnswer {
  const end = text.indexOf('\r\n\r\n')
  const [statusLine = '', ...headers] = text.slice(0, end).split('\r\n')
  return {
    status: Number(statusLine.split(' ')[1]),
    headers,
    body: text.slice(end + 4),
    header: (name) =>
      headers
        .find((line) => line.toLowerCase().startsWith(`${name}:`))
        ?.slice(name.length + 1)
        .trim(),
  }
}
