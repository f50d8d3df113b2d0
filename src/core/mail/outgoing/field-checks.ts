import { appError } from '../../../contract/errors.ts'
import type { EmailName, MessageHeader } from '../../../contract/message.ts'
import { isEmailAddress } from '../../../formats/addresses.ts'
import type { AppError } from '../../../kit/app-error.ts'

// Control characters have no place in any header, and CR, LF and NUL would end one (RFC 5322 section 2.2).
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f]/
/** RFC 5322 section 3.6.8: printable ASCII but the colon. */
const HEADER_NAME = /^[!-9;-~]{1,76}$/
const MAX_HEADER_VALUE = 10_000

/**
 * Headers that the fields of a message or its way through the mail system make: a second one would contradict them, or
 * forge a trace.
 */
const RESERVED =
  /^(from|sender|to|cc|bcc|reply-to|subject|date|message-id|mime-version|return-path|received|dkim-signature|(content|resent|arc)-.*)$/i
/** Made of `reply_to_message_id`, and free where there is none. */
const THREADING = /^(in-reply-to|references)$/i

/** A 400 that names a field. */
export function invalidField(message: string): AppError {
  return appError('api.invalid_request_error', message)
}

/** @throws AppError 400 for text that would leave its header line */
export function checkHeaderText(text: string, field: string): void {
  if (CONTROL.test(text)) throw invalidField(`${field} must not contain line breaks or control characters`)
}

/**
 * Checks addresses of a message.
 * @param field  for the text of the error: `to` gives "to.0.email must be an email address"
 * @returns them trimmed, without empty names
 */
export function checkAddresses(names: readonly EmailName[] | undefined, field: string): EmailName[] {
  return (names ?? []).map(({ email, name }, index) => {
    const address = email.trim()
    if (!isEmailAddress(address) || CONTROL.test(address)) {
      throw invalidField(`${field}.${index}.email must be an email address`)
    }
    const shown = name?.trim() ?? ''
    checkHeaderText(shown, `${field}.${index}.name`)
    return shown === '' ? { email: address } : { email: address, name: shown }
  })
}

/** Checks `custom_headers`: real header names that no other field makes, values of one line. */
export function checkCustomHeaders(
  headers: readonly MessageHeader[] | undefined,
  { isReply }: { readonly isReply: boolean },
): MessageHeader[] {
  return (headers ?? []).map(({ name, value }, index) => {
    const field = `custom_headers.${index}`
    if (!HEADER_NAME.test(name)) throw invalidField(`${field}.name is no header name`)
    if (RESERVED.test(name)) throw invalidField(`${field}.name: ${name} is set by the server`)
    if (isReply && THREADING.test(name)) {
      throw invalidField(`${field}.name: ${name} is set by reply_to_message_id`)
    }
    checkHeaderText(value, `${field}.value`)
    if (value.length > MAX_HEADER_VALUE) {
      throw invalidField(`${field}.value has at most ${MAX_HEADER_VALUE} characters`)
    }
    return { name, value }
  })
}
