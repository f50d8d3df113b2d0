import {
  addressList,
  applicationId,
  cidrList,
  databaseUrl,
  encryptionKeys,
  flag,
  host,
  hostPort,
  type Kind,
  logLevel,
  mailSender,
  port,
  secretText,
  smtpUrl,
  text,
  trackingMode,
  url,
  urlTemplate,
  wholeNumber,
} from './kinds.ts'

/** One variable. Its value has the type `T`. */
export interface Setting<T> {
  readonly name: string
  readonly kind: Kind<T>
  /** As the operator would write it; `undefined` where the value is `undefined` unless set. */
  readonly defaultText: string | undefined
  /** For the documentation, where the default is not a literal value. */
  readonly defaultNote?: string
  readonly sentence: string
  readonly example: string
  /** May also be given as `NAME_FILE` with a path, and is never shown. */
  readonly secret: boolean
  /** Said loudly at the start when the variable has the value `when`. */
  readonly warning?: { readonly when: string; readonly sentence: string }
}

interface Details {
  readonly sentence: string
  readonly example: string
  readonly defaultNote?: string
  readonly secret?: boolean
  readonly warning?: { readonly when: string; readonly sentence: string }
}

function setting<T>(name: string, kind: Kind<T>, defaultText: string, details: Details): Setting<T> {
  return { name, kind, defaultText, secret: false, ...details }
}

function optional<T>(name: string, kind: Kind<T>, details: Details): Setting<T | undefined> {
  return { name, kind, defaultText: undefined, secret: false, ...details }
}

function endpoint<T>(name: string, kind: Kind<T>, defaultText: string, sentence: string): Setting<T> {
  return { name, kind, defaultText, sentence, example: defaultText, secret: false }
}

/**
 * Everything that can be set, in the order of docs/config.md. The shape of this value is the shape of `Config`.
 * Source: the interface page of the project; provider defaults are the providers' own addresses (docs, checked 2026-11).
 */
export const SETTINGS = {
  host: setting('GRANTWAY_HOST', host, '127.0.0.1', {
    sentence: 'Address the API listens on.',
    example: '0.0.0.0',
  }),
  port: setting('GRANTWAY_PORT', port, '8080', {
    sentence: 'Port the API listens on; 0 takes any free port.',
    example: '8080',
  }),
  publicUrl: optional('GRANTWAY_PUBLIC_URL', url, {
    sentence: 'Address that browsers, providers and SDKs use to reach this server.',
    example: 'https://mail-api.example.com',
    defaultNote: 'the bound address',
  }),
  trustedProxies: setting('GRANTWAY_TRUSTED_PROXIES', cidrList, '', {
    sentence: 'Networks of reverse proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` count.',
    example: '10.0.0.0/8,fd00::/8',
  }),
  dataDir: setting('GRANTWAY_DATA_DIR', text, './grantway-data', {
    sentence: 'Folder of the embedded database and of generated key files (mode 0600).',
    example: '/var/lib/grantway',
  }),
  databaseUrl: optional('GRANTWAY_DATABASE_URL', databaseUrl, {
    sentence: 'PostgreSQL to use instead of the embedded database.',
    example: 'postgres://grantway:password@db.example.com:5432/grantway',
    secret: true,
  }),
  databasePoolSize: setting('GRANTWAY_DATABASE_POOL_SIZE', wholeNumber(1, 1000), '10', {
    sentence: 'Connections to PostgreSQL that one process keeps.',
    example: '20',
  }),
  encryptionKeys: optional('GRANTWAY_ENCRYPTION_KEYS', encryptionKeys, {
    sentence:
      'Keys that seal every stored secret: the first one wraps, all of them open. Required with PostgreSQL. ' +
      'Keep a copy apart from the database: without it no stored token can be opened again.',
    example: '2026a:q83vEjRWeJASNFZ4kBI0VniQEjRWeJASNFZ4kBI0Vng=',
    defaultNote: 'embedded database: generated into the data folder',
    secret: true,
  }),
  applicationId: optional('GRANTWAY_APPLICATION_ID', applicationId, {
    sentence: 'Id of the application that is made when the database has none.',
    example: 'b3f4c1de-5a52-4c0e-9d3c-0a4b6f7e8d90',
    defaultNote: 'embedded database: generated',
  }),
  apiKey: optional('GRANTWAY_API_KEY', secretText(32), {
    sentence:
      'API key of that application, applied when the database has no application. A generated one goes to ' +
      '`initial-api-key` in the data folder. With PostgreSQL nothing is generated: set it, or run `grantway keys create`.',
    example: 'any-32-or-more-printable-characters-of-your-own',
    defaultNote: 'embedded database: generated',
    secret: true,
  }),
  allowedNetworks: setting('GRANTWAY_ALLOWED_NETWORKS', cidrList, '', {
    sentence:
      'Private, loopback or link-local networks that connections to hosts named by users may reach ' +
      '(mail, DAV and webhook hosts). Public addresses need no entry.',
    example: '10.20.0.0/16',
  }),
  egressIps: setting('GRANTWAY_EGRESS_IPS', addressList, '', {
    sentence:
      'Public addresses that this server’s connections come from, as `GET /v3/webhooks/ip-addresses` answers them.',
    example: '203.0.113.7,203.0.113.8',
  }),
  allowPlaintextMail: setting('GRANTWAY_ALLOW_PLAINTEXT_MAIL', flag, 'false', {
    sentence: 'Permits IMAP and SMTP without TLS where the server offers none.',
    example: 'true',
    warning: {
      when: 'true',
      sentence: 'mailbox passwords and mail may cross the network in plain text',
    },
  }),
  tracking: setting('GRANTWAY_TRACKING', trackingMode, 'anonymous', {
    sentence:
      'What is kept of recipients who open or click in tracked messages: `anonymous` cuts their address to its /24 or ' +
      '/48 and their user agent to names and major versions, `full` keeps both, `off` refuses `tracking_options`. ' +
      'Opens and links also need `GRANTWAY_PUBLIC_URL`.',
    example: 'off',
    warning: {
      when: 'full',
      sentence: 'addresses and user agents of recipients are stored and sent to webhooks',
    },
  }),
  metrics: {
    port: optional('GRANTWAY_METRICS_PORT', port, {
      sentence: 'Port of a listener of its own for `/metrics`.',
      example: '9090',
    }),
    host: setting('GRANTWAY_METRICS_HOST', host, '127.0.0.1', {
      sentence: 'Address that listener is bound to.',
      example: '0.0.0.0',
    }),
    token: optional('GRANTWAY_METRICS_TOKEN', secretText(1), {
      sentence: 'Bearer token for `/metrics` on the API listener, which answers 404 without it.',
      example: 'a-long-random-string',
      secret: true,
    }),
  },
  refreshRate: setting('GRANTWAY_REFRESH_RATE', wholeNumber(1, 100_000), '120', {
    sentence:
      'Refreshes in the background per connector and second, over all processes. Requests are never held up by it.',
    example: '50',
  }),
  rateLimitFactor: setting('GRANTWAY_RATE_LIMIT_FACTOR', wholeNumber(0, 1000), '1', {
    sentence:
      'Multiplies the limits on requests (50 a second per application and part of the API, 200 per grant, and so on), ' +
      'which all processes share. 0 switches them off, for load tests.',
    example: '4',
    warning: {
      when: '0',
      sentence: 'nothing limits how often an application or an address may ask',
    },
  }),
  gmailUnitsPerMinute: setting('GRANTWAY_GMAIL_UNITS_PER_MINUTE', wholeNumber(100, 100_000_000), '6000', {
    sentence:
      'Gmail quota units that one process spends per grant and minute; requests wait for their turn instead of being ' +
      'throttled by Google. Projects made since May 2026 have 6,000 per user, older ones 15,000. With several processes, ' +
      'give each its share.',
    example: '15000',
  }),
  autoconfigUrl: optional('GRANTWAY_AUTOCONFIG_URL', url, {
    sentence:
      'A Thunderbird-style autoconfig database. Without it only the mail domain’s own autoconfig and SRV records are asked.',
    example: 'https://autoconfig.example.com/v1.1',
  }),
  smtp: {
    url: optional('GRANTWAY_SMTP_URL', smtpUrl, {
      sentence:
        'Mail server that takes notices of failing webhook destinations: `smtps://` is TLS from the first byte, ' +
        '`smtp://` STARTTLS. Without it such notices are only logged.',
      example: 'smtps://grantway:password@mail.example.com:465',
      secret: true,
    }),
    from: optional('GRANTWAY_SMTP_FROM', mailSender, {
      sentence: 'Sender of those notices. Required with `GRANTWAY_SMTP_URL`.',
      example: 'Grantway <grantway@example.com>',
    }),
  },
  logLevel: setting('GRANTWAY_LOG_LEVEL', logLevel, 'info', {
    sentence: 'Least severe level that is logged; logs go to stderr.',
    example: 'debug',
  }),
  google: {
    authorizeUrl: endpoint(
      'GRANTWAY_GOOGLE_AUTHORIZE_URL',
      url,
      'https://accounts.google.com/o/oauth2/v2/auth',
      'Page where users consent.',
    ),
    tokenUrl: endpoint(
      'GRANTWAY_GOOGLE_TOKEN_URL',
      url,
      'https://oauth2.googleapis.com/token',
      'Token endpoint.',
    ),
    revokeUrl: endpoint(
      'GRANTWAY_GOOGLE_REVOKE_URL',
      url,
      'https://oauth2.googleapis.com/revoke',
      'Revocation endpoint.',
    ),
    userinfoUrl: endpoint(
      'GRANTWAY_GOOGLE_USERINFO_URL',
      url,
      'https://openidconnect.googleapis.com/v1/userinfo',
      'OpenID Connect userinfo endpoint.',
    ),
    gmailUrl: endpoint(
      'GRANTWAY_GOOGLE_GMAIL_URL',
      url,
      'https://gmail.googleapis.com',
      'Gmail API (paths `/gmail/v1/…`, `/batch/gmail/v1`).',
    ),
    calendarUrl: endpoint(
      'GRANTWAY_GOOGLE_CALENDAR_URL',
      url,
      'https://www.googleapis.com',
      'Calendar API (paths `/calendar/v3/…`).',
    ),
    peopleUrl: endpoint(
      'GRANTWAY_GOOGLE_PEOPLE_URL',
      url,
      'https://people.googleapis.com',
      'People API (paths `/v1/…`).',
    ),
    adminUrl: endpoint(
      'GRANTWAY_GOOGLE_ADMIN_URL',
      url,
      'https://admin.googleapis.com',
      'Admin API (room resources).',
    ),
    pubsubUrl: endpoint(
      'GRANTWAY_GOOGLE_PUBSUB_URL',
      url,
      'https://pubsub.googleapis.com',
      'Pub/Sub API (mail notifications).',
    ),
  },
  microsoft: {
    authorizeUrl: endpoint(
      'GRANTWAY_MICROSOFT_AUTHORIZE_URL',
      urlTemplate,
      'https://login.microsoftonline.com/{tenant}/oauth2/v2.0/authorize',
      'Page where users consent.',
    ),
    tokenUrl: endpoint(
      'GRANTWAY_MICROSOFT_TOKEN_URL',
      urlTemplate,
      'https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token',
      'Token endpoint.',
    ),
    adminConsentUrl: endpoint(
      'GRANTWAY_MICROSOFT_ADMINCONSENT_URL',
      urlTemplate,
      'https://login.microsoftonline.com/{tenant}/adminconsent',
      'Page where an administrator consents for a whole tenant.',
    ),
    graphUrl: endpoint(
      'GRANTWAY_MICROSOFT_GRAPH_URL',
      url,
      'https://graph.microsoft.com',
      'Graph API (paths `/v1.0/…`).',
    ),
  },
  yahoo: {
    authorizeUrl: endpoint(
      'GRANTWAY_YAHOO_AUTHORIZE_URL',
      url,
      'https://api.login.yahoo.com/oauth2/request_auth',
      'Page where users consent.',
    ),
    tokenUrl: endpoint(
      'GRANTWAY_YAHOO_TOKEN_URL',
      url,
      'https://api.login.yahoo.com/oauth2/get_token',
      'Token endpoint.',
    ),
    userinfoUrl: endpoint(
      'GRANTWAY_YAHOO_USERINFO_URL',
      url,
      'https://api.login.yahoo.com/openid/v1/userinfo',
      'OpenID Connect userinfo endpoint.',
    ),
    imap: endpoint('GRANTWAY_YAHOO_IMAP', hostPort, 'imap.mail.yahoo.com:993', 'IMAP server.'),
    smtp: endpoint('GRANTWAY_YAHOO_SMTP', hostPort, 'smtp.mail.yahoo.com:465', 'SMTP server.'),
  },
  icloud: {
    imap: endpoint('GRANTWAY_ICLOUD_IMAP', hostPort, 'imap.mail.me.com:993', 'IMAP server.'),
    smtp: endpoint('GRANTWAY_ICLOUD_SMTP', hostPort, 'smtp.mail.me.com:587', 'SMTP server.'),
    caldavUrl: endpoint('GRANTWAY_ICLOUD_CALDAV_URL', url, 'https://caldav.icloud.com', 'CalDAV server.'),
    carddavUrl: endpoint(
      'GRANTWAY_ICLOUD_CARDDAV_URL',
      url,
      'https://contacts.icloud.com',
      'CardDAV server.',
    ),
  },
  zoom: {
    authorizeUrl: endpoint(
      'GRANTWAY_ZOOM_AUTHORIZE_URL',
      url,
      'https://zoom.us/oauth/authorize',
      'Page where users consent.',
    ),
    tokenUrl: endpoint('GRANTWAY_ZOOM_TOKEN_URL', url, 'https://zoom.us/oauth/token', 'Token endpoint.'),
    apiUrl: endpoint('GRANTWAY_ZOOM_API_URL', url, 'https://api.zoom.us', 'Zoom API (paths `/v2/…`).'),
  },
} as const

type ValuesOf<T> = T extends Setting<infer V> ? V : { readonly [K in keyof T]: ValuesOf<T[K]> }

/** The configuration: read once at start, frozen. */
export type Config = ValuesOf<typeof SETTINGS> & {
  /** Sentences for the operator: ignored variables, unsafe choices. */
  readonly warnings: readonly string[]
}

/** Names the file that may hold the other variables. */
export const CONFIG_FILE_VARIABLE = 'GRANTWAY_CONFIG_FILE'

/** A group of settings, at any depth. */
export interface SettingGroup {
  readonly [key: string]: Setting<unknown> | SettingGroup
}

/** Tells a setting from a group of settings. */
export function isSetting(node: Setting<unknown> | SettingGroup): node is Setting<unknown> {
  return typeof node['name'] === 'string'
}

/** Lists all settings of a group, depth first. */
export function listSettings(group: SettingGroup = SETTINGS): readonly Setting<unknown>[] {
  return Object.values(group).flatMap((node) => (isSetting(node) ? [node] : listSettings(node)))
}
