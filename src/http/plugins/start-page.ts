import { createHash } from 'node:crypto'
import type { FastifyInstance } from 'fastify'

const STYLE =
  'body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem}code{background:#eee;padding:.1em .3em}'

/** Addresses of the start page, until there is a console. */
const START_PAGE_URLS = ['/', '/console'] as const

/** Serves one static page that says what this is and where to go on. No script, nothing loaded, no framing. */
export function registerStartPage(
  app: FastifyInstance,
  server: { readonly version: string; readonly publicUrl?: string },
): void {
  const html = page(server)
  const styleHash = createHash('sha256').update(STYLE).digest('base64')
  const policy = [
    "default-src 'none'",
    `style-src 'sha256-${styleHash}'`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
  for (const url of START_PAGE_URLS) {
    app.get(url, { exposeHeadRoute: true }, (_request, reply) =>
      reply
        .header('content-type', 'text/html; charset=utf-8')
        .header('content-security-policy', policy)
        .header('x-content-type-options', 'nosniff')
        .header('referrer-policy', 'no-referrer')
        .header('cache-control', 'no-cache')
        .send(html),
    )
  }
}

function page(server: { readonly version: string; readonly publicUrl?: string }): string {
  const address = escapeHtml(server.publicUrl ?? '')
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Grantway</title><style>${STYLE}</style></head>
<body>
<h1>Grantway</h1>
<p>This server speaks the Nylas v3 API. Version ${escapeHtml(server.version)}.</p>
${address === '' ? '' : `<p>API address for SDKs: <code>${address}</code></p>`}
<ul>
<li><a href="/openapi.json">API description (OpenAPI 3.1)</a></li>
<li>Documentation: the folder <code>docs</code> that comes with the server</li>
<li><a href="/healthz">Health</a> and <a href="/readyz">readiness</a></li>
</ul>
</body>
</html>
`
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
