import { destination, pino } from 'pino'
import type { Logger } from '../kit/logger.ts'

/** Names under which a secret could come by; `Secret` prints as `[secret]` anyway, this is the second net. */
const SECRET_NAMES = [
  'authorization',
  'access_token',
  'accessToken',
  'refresh_token',
  'refreshToken',
  'client_secret',
  'clientSecret',
  'password',
  'imap_password',
  'smtp_password',
  'private_key',
  'id_token',
  'assertion',
  'apiKey',
  'api_key',
]

/** Makes the log: JSON lines on stderr. */
export function createLogger(level: string): Logger {
  const paths = SECRET_NAMES.flatMap((name) => [name, `*.${name}`, `*.*.${name}`, `headers["${name}"]`])
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths, censor: '[secret]' },
      messageKey: 'event',
    },
    destination({ fd: 2, sync: false }),
  )
}
