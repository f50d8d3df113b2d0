import { randomBytes } from 'node:crypto'
import type { Config } from '../../config/schema.ts'
import { Secret } from '../../kit/secret.ts'

/**
 * The configuration of a demo: a throw-away data folder, keys in memory, a free port on loopback, and Google's
 * endpoints at the sandbox. Nothing of the operator's own database or keys is touched.
 *
 * @param endpoints  the sandbox's addresses by the names of the GRANTWAY_GOOGLE_* variables
 */
export function demoConfig(
  config: Config,
  dataDir: string,
  apiKey: string,
  endpoints: { readonly [variable: string]: string },
): Config {
  const at = (variable: string, fallback: string) => endpoints[variable] ?? fallback
  const { google } = config
  return {
    ...config,
    host: '127.0.0.1',
    port: 0,
    publicUrl: undefined,
    dataDir,
    databaseUrl: undefined,
    encryptionKeys: [{ kid: 'demo', key: new Secret(randomBytes(32).toString('base64')) }],
    applicationId: undefined,
    apiKey: new Secret(apiKey),
    metrics: { ...config.metrics, port: undefined },
    google: {
      ...google,
      authorizeUrl: at('GRANTWAY_GOOGLE_AUTHORIZE_URL', google.authorizeUrl),
      tokenUrl: at('GRANTWAY_GOOGLE_TOKEN_URL', google.tokenUrl),
      revokeUrl: at('GRANTWAY_GOOGLE_REVOKE_URL', google.revokeUrl),
      userinfoUrl: at('GRANTWAY_GOOGLE_USERINFO_URL', google.userinfoUrl),
      gmailUrl: at('GRANTWAY_GOOGLE_GMAIL_URL', google.gmailUrl),
      calendarUrl: at('GRANTWAY_GOOGLE_CALENDAR_URL', google.calendarUrl),
      peopleUrl: at('GRANTWAY_GOOGLE_PEOPLE_URL', google.peopleUrl),
      adminUrl: at('GRANTWAY_GOOGLE_ADMIN_URL', google.adminUrl),
      pubsubUrl: at('GRANTWAY_GOOGLE_PUBSUB_URL', google.pubsubUrl),
    },
  }
}
