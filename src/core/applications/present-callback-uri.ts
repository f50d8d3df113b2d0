import type { CallbackUri } from '../../contract/application.ts'
import type { CallbackUriRecord } from '../ports/records.ts'

/** Turns a callback URI record into its wire shape; empty settings are left out. */
export function presentCallbackUri(record: CallbackUriRecord): CallbackUri {
  return {
    id: record.id,
    url: record.url,
    platform: record.platform,
    ...(Object.keys(record.settings).length > 0 ? { settings: record.settings } : {}),
  }
}
