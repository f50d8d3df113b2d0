import { appError } from '../../contract/errors.ts'
import { subscribedTrigger } from '../../contract/triggers.ts'

const MAX_URL_CHARS = 2048
/** An address as far as it must be one for a mail to be addressed to it. */
const ADDRESS = /^[^\s@<>,;:"()[\]\\]{1,64}@[^\s@<>,;:"()[\]\\]{1,255}$/

/** The refusal of a webhook route's input. */
export function invalidWebhook(message: string) {
  return appError('webhook.invalid', message)
}

/**
 * Checks the form of a destination's address. Whether it may be connected to (`http:`, private addresses, ports)
 * is for the egress guard to say, at each connection.
 */
export function checkWebhookUrl(text: string): void {
  if (text.length > MAX_URL_CHARS)
    throw invalidWebhook(`webhook_url is longer than ${MAX_URL_CHARS} characters`)
  // What a URL parser would quietly drop or turn around is no part of an address that anybody meant.
  if (/[\s\\\p{Cc}]/u.test(text)) {
    throw invalidWebhook('webhook_url must not contain spaces, backslashes or control characters')
  }
  const url = URL.parse(text)
  if (!url || !/^https?:\/\//i.test(text)) throw invalidWebhook('webhook_url must be an absolute https URL')
  if (url.username !== '' || url.password !== '') {
    throw invalidWebhook('webhook_url must not contain user information')
  }
  if (text.includes('#')) throw invalidWebhook('webhook_url must not contain a fragment')
}

/** Checks that each name may be subscribed to; they are kept exactly as asked. */
export function checkTriggerTypes(names: readonly string[]): void {
  const unknown = names.find((name) => subscribedTrigger(name) === undefined)
  if (unknown !== undefined) throw invalidWebhook(`trigger_types: there is no trigger "${unknown}"`)
}

/** Checks the addresses that are told of a failing destination. */
export function checkNotificationAddresses(addresses: readonly string[]): void {
  const wrong = addresses.find((address) => !ADDRESS.test(address))
  if (wrong !== undefined) {
    throw invalidWebhook(`notification_email_addresses: "${wrong}" is not an email address`)
  }
}

/** Reads a status to set: the vendor's CLI and one SDK have other words for `pause`. */
export function readWantedStatus(text: string): 'active' | 'pause' {
  switch (text) {
    case 'active':
      return 'active'
    case 'pause':
    case 'paused':
    case 'inactive':
      return 'pause'
    default:
      throw invalidWebhook('status must be active or pause')
  }
}
