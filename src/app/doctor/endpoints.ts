import { connect } from 'node:net'
import type { Config } from '../../config/schema.ts'
import { createHttpClient, type HttpClient } from '../../kit/outbound/http-client.ts'
import type { Finding } from './finding.ts'

const REACH_TIMEOUT_MS = 5_000

/** Asks every provider's endpoint for a sign of life. */
export async function examineEndpoints(config: Config): Promise<readonly Finding[]> {
  const http = createHttpClient()
  try {
    const urls = await Promise.all(urlsOf(config).map((url) => examineUrl(http, url)))
    return [...urls, ...(await Promise.all(mailServersOf(config).map(examineMailServer)))]
  } finally {
    await http.close()
  }
}

interface NamedUrl {
  readonly name: string
  readonly url: string
}

function urlsOf(config: Config): readonly NamedUrl[] {
  const { google, microsoft, yahoo, zoom, icloud } = config
  return [
    { name: 'google token endpoint', url: google.tokenUrl },
    { name: 'google userinfo', url: google.userinfoUrl },
    { name: 'google gmail', url: google.gmailUrl },
    { name: 'microsoft token endpoint', url: microsoft.tokenUrl.replaceAll('{tenant}', 'common') },
    { name: 'microsoft graph', url: microsoft.graphUrl },
    { name: 'yahoo token endpoint', url: yahoo.tokenUrl },
    { name: 'zoom token endpoint', url: zoom.tokenUrl },
    { name: 'icloud caldav', url: icloud.caldavUrl },
  ]
}

async function examineUrl(http: HttpClient, { name, url }: NamedUrl): Promise<Finding> {
  try {
    await http.request({ method: 'GET', url, timeoutMs: REACH_TIMEOUT_MS })
    return { check: name, ok: true, detail: `${new URL(url).origin} answers` }
  } catch (error) {
    const advice = 'Check DNS, the firewall and the proxy between this machine and the provider.'
    return { check: name, ok: false, detail: messageOf(error), advice }
  }
}

interface MailServer {
  readonly name: string
  readonly host: string
  readonly port: number
}

function mailServersOf(config: Config): readonly MailServer[] {
  return [
    { name: 'yahoo imap', ...config.yahoo.imap },
    { name: 'icloud imap', ...config.icloud.imap },
  ]
}

function examineMailServer({ name, host, port }: MailServer): Promise<Finding> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: REACH_TIMEOUT_MS })
    const done = (ok: boolean, detail: string) => {
      socket.destroy()
      const advice = 'Check DNS and the firewall: mail providers need outgoing connections to this port.'
      resolve(ok ? { check: name, ok, detail } : { check: name, ok, detail, advice })
    }
    socket.once('connect', () => done(true, `${host}:${port} answers`))
    socket.once('timeout', () => done(false, `${host}:${port} does not answer`))
    socket.once('error', (error) => done(false, `${host}:${port}: ${error.message}`))
  })
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
