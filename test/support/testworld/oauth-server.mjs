// Origin: oauth-server.mjs of the project's testworld (real servers to test against), copied unchanged so that a clone is complete.
// An OpenID provider for tests: oidc-provider with rotation, introspection and a hand-out of refresh tokens.
//   POST /testworld/mint   {"email", "scope"?, "client_id"?}  ->  {"refresh_token", "access_token"} without a browser
//   POST /testworld/revoke {"refresh_token"}                  ->  destroys the whole grant (user withdrew consent)
//   POST /testworld/mode   {"fail": "503"|"429"|"slow"|"html"|"" , "times": 1}  -> the next calls of /token fail so
//   GET  /testworld/log    -> what /token was asked: [{at, grant_type, client_id, auth, status}]
import { createRequire } from 'node:module'
import { createServer } from 'node:http'
import { pathToFileURL } from 'node:url'

const require = createRequire(process.env.NPM_DIR + '/package.json')
const { Provider } = await import(pathToFileURL(require.resolve('oidc-provider')).href)
const port = Number(process.argv[2] || 21700)
const issuer = `http://127.0.0.1:${port}`
const ttl = Number(process.env.OAUTH_TTL || 3600)
const redirects = (
  process.env.OAUTH_REDIRECTS ||
  'http://127.0.0.1:3000/v3/connect/callback http://localhost:3000/v3/connect/callback http://127.0.0.1:9/cb'
).split(' ')
const mailScope = 'openid email offline_access mail'

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'mail-app',
      client_secret: 'mail-app-secret',
      redirect_uris: redirects,
      application_type: 'native',
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'client_secret_post',
    },
    {
      client_id: 'basic-app',
      client_secret: 'basic-app-secret',
      redirect_uris: redirects,
      application_type: 'native',
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'client_secret_basic',
    },
    {
      client_id: 'public-app',
      redirect_uris: redirects,
      application_type: 'native',
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'none',
    },
    {
      client_id: 'imap-resource',
      client_secret: 'imap-resource-secret',
      redirect_uris: [],
      response_types: [],
      grant_types: [],
      token_endpoint_auth_method: 'client_secret_basic',
    },
  ],
  scopes: ['openid', 'email', 'offline_access', 'mail'],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
  conformIdTokenClaims: false,
  pkce: { required: (_ctx, client) => client.tokenEndpointAuthMethod === 'none' },
  rotateRefreshToken: process.env.OAUTH_ROTATE !== 'no',
  issueRefreshToken: async (_ctx, client, code) =>
    client.grantTypeAllowed('refresh_token') && code.scopes.has('offline_access'),
  ttl: {
    AccessToken: ttl,
    AuthorizationCode: 60,
    IdToken: 3600,
    RefreshToken: 14 * 86400,
    Grant: 30 * 86400,
    Session: 86400,
    Interaction: 3600,
  },
  features: {
    devInteractions: { enabled: false },
    introspection: { enabled: true, allowedPolicy: () => true },
    revocation: { enabled: true },
    userinfo: { enabled: true },
  },
  extraTokenClaims: undefined,
  findAccount: async (_ctx, sub) => ({
    accountId: sub,
    claims: async () => ({ sub, email: sub, email_verified: true, name: sub.split('@')[0] }),
  }),
  interactions: { url: (_ctx, i) => `/testworld/login/${i.uid}` },
})
// Dovecot reads the account from the introspection answer.
provider.use(async (ctx, next) => {
  await next()
  if (ctx.oidc?.route === 'introspection' && ctx.body?.active) ctx.body.username = ctx.body.sub
})
provider.on('server_error', (_ctx, err) => console.error(err))

const log = []
let fail = '',
  times = 0

async function mint({ email, scope = mailScope, client_id = 'mail-app' }) {
  const client = await provider.Client.find(client_id)
  if (!client) throw new Error('no such client')
  const grant = new provider.Grant({ accountId: email, clientId: client_id })
  grant.addOIDCScope(scope)
  const grantId = await grant.save()
  const common = { accountId: email, client, clientId: client_id, grantId, scope, gty: 'authorization_code' }
  const refresh = new provider.RefreshToken({ ...common, rotations: 0 })
  const access = new provider.AccessToken(common)
  return {
    refresh_token: await refresh.save(),
    access_token: await access.save(),
    expires_in: ttl,
    scope,
    email,
  }
}
const json = (res, status, body) => {
  res.writeHead(status, { 'content-type': 'application/json' })
  res.end(JSON.stringify(body))
}
const read = async (req) => {
  const parts = []
  for await (const c of req) parts.push(c)
  return Buffer.concat(parts).toString()
}

const callback = provider.callback()
createServer(async (req, res) => {
  try {
    const url = new URL(req.url, issuer)
    if (req.method === 'POST' && url.pathname === '/testworld/mint')
      return json(res, 200, await mint(JSON.parse(await read(req))))
    if (req.method === 'POST' && url.pathname === '/testworld/revoke') {
      const token = await provider.RefreshToken.find(JSON.parse(await read(req)).refresh_token, {
        ignoreExpiration: true,
      })
      if (!token) return json(res, 404, { error: 'unknown refresh token' })
      await Promise.all(
        [provider.AccessToken, provider.RefreshToken].map((m) => m.revokeByGrantId(token.grantId)),
      )
      const grant = await provider.Grant.find(token.grantId)
      await grant?.destroy()
      return json(res, 200, { revoked: true })
    }
    if (req.method === 'POST' && url.pathname === '/testworld/mode') {
      const m = JSON.parse(await read(req))
      fail = m.fail || ''
      times = m.times ?? 1
      return json(res, 200, { fail, times })
    }
    if (url.pathname === '/testworld/log') return json(res, 200, log)
    if (url.pathname.startsWith('/testworld/login/')) {
      // Signs in at once: as login_hint says, else as alice; grants every scope that was asked for.
      const i = await provider.interactionDetails(req, res)
      const accountId = i.params.login_hint || 'alice@testworld.example'
      if (accountId.startsWith('deny'))
        return provider.interactionFinished(req, res, {
          error: 'access_denied',
          error_description: 'the user said no',
        })
      const grant = new provider.Grant({ accountId, clientId: i.params.client_id })
      grant.addOIDCScope(i.params.scope)
      return provider.interactionFinished(
        req,
        res,
        { login: { accountId }, consent: { grantId: await grant.save() } },
        { mergeWithLastSubmission: true },
      )
    }
    if (url.pathname === '/token' && req.method === 'POST') {
      const entry = {
        at: Date.now(),
        auth: (req.headers.authorization || '').split(' ')[0] || 'body',
        status: 0,
      }
      log.push(entry)
      res.on('finish', () => {
        entry.status = res.statusCode
      })
      if (fail && times-- > 0) {
        if (fail === 'slow') await new Promise((r) => setTimeout(r, 5000))
        else if (fail === 'html') {
          res.writeHead(200, { 'content-type': 'text/html' })
          return res.end('<html>captive portal</html>')
        } else {
          res.writeHead(Number(fail), { 'retry-after': '1', 'content-type': 'application/json' })
          return res.end('{"error":"temporarily_unavailable"}')
        }
      }
      const body = await read(req)
      const form = new URLSearchParams(body)
      Object.assign(entry, { grant_type: form.get('grant_type'), client_id: form.get('client_id') })
      req.body = Object.fromEntries(form) // the provider takes a body that was read already
    }
    callback(req, res)
  } catch (err) {
    console.error(err)
    if (!res.headersSent) json(res, 500, { error: String(err?.message || err) })
  }
}).listen(port, '127.0.0.1', () => console.log('listening on', issuer))
