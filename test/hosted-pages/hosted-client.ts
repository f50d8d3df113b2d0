import assert from 'node:assert/strict'
import { type HttpApp, startHttpApp } from '../support/http-app.ts'
import { type ReadPage, readPage } from './page-reader.ts'
import { stubHosted } from './stub-hosted.ts'

/** A server over a stub of hosted authentication, and a browser without script that asks it. */
export interface HostedApp {
  readonly app: HttpApp
  readonly stub: ReturnType<typeof stubHosted>
  browser(): Browser
  close(): Promise<void>
}

export interface Browser {
  cookie: string | null
  /** what a form has left behind for the next page */
  leftBehind: string | null
  get(path: string, headers?: Record<string, string>): Promise<Response>
  post(
    path: string,
    fields: Record<string, string> | string,
    headers?: Record<string, string>,
  ): Promise<Response>
  /** Starts a session and reads its page. */
  open(): Promise<{ readonly path: string; readonly page: ReadPage; readonly token: string }>
}

export async function startHostedApp(publicUrl?: string): Promise<HostedApp> {
  const stub = stubHosted()
  const http = publicUrl === undefined ? {} : { publicUrl }
  const app = await startHttpApp({ services: { hosted: stub.service }, http })
  const browser = (): Browser => {
    const send = async (path: string, init: RequestInit, headers: Record<string, string>) => {
      const answer = await fetch(app.url + path, {
        ...init,
        redirect: 'manual',
        headers: {
          accept: 'text/html,application/xhtml+xml,*/*;q=0.8',
          cookie: ['other=1', self.cookie ?? '', self.leftBehind ?? ''].filter(Boolean).join('; '),
          ...headers,
        },
      })
      for (const line of answer.headers.getSetCookie()) {
        const [pair = ''] = line.split(';')
        if (!/^(?:__Host-)?gw-form=/.test(pair)) self.cookie = pair
        else self.leftBehind = line.endsWith('; Max-Age=0') ? null : pair
      }
      return answer
    }
    const self: Browser = {
      cookie: null,
      leftBehind: null,
      get: (path, headers = {}) => send(path, {}, headers),
      post: (path, fields, headers = {}) =>
        send(path, { method: 'POST', body: new URLSearchParams(fields) }, headers),
      async open() {
        const started = await self.get('/v3/connect/auth?client_id=x')
        assert.equal(started.status, 302)
        const path = started.headers.get('location') ?? ''
        assert.match(path, /^\/v3\/connect\/login\/[0-9a-f-]{36}$/)
        const page = await readPage(await self.get(path))
        return { path, page, token: page.forms[0]?.token ?? '' }
      },
    }
    return self
  }
  return { app, stub, browser, close: () => app.close() }
}
