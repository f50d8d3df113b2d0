import { elementsOf, isElement, type MailElement, type MailNode, textOf } from './mail-tree.ts'

/*
 * How mail programs mark what they quote, as they write it (looked at in mail of each, checked 2026-11). A class that a
 * program made itself is taken at its word; what only looks like a quote is left to `newest-text.ts`.
 */

const QUOTE_CLASS =
  /(^|\s)(m_-?\d+)?(gmail_quote|gmail_quote_container|gmail_attr|yahoo_quoted|yahoo-quoted|moz-cite-prefix|moz-email-headers-table|protonmail_quote|tutanota_quote|zmail_extra|zmail_extra_hr|OutlookMessageHeader|ms-outlook-mobile-reference-message|quoted-text|freebirdFormviewerViewQuote|front-blockquote|airmail_on|gwmail_quote|WM_QUOTE)(\s|$)/
const GMAIL_QUOTE = /(^|\s)(m_-?\d+)?gmail_quote(_container)?(\s|$)/
const QUOTE_ID =
  /^(x_)*(isReplyContent|reply-intro|OLK_SRC_BODY_SECTION|mail-editor-reference-message-container|yahoo_quoted_\d+|orig_msg|qt|ymail_android_signature_quote)$/
/** From here to the end of the mail. */
const REST_ID = /^(x_)*(divRplyFwdMsg|appendonsend|stopSpelling|origbody|OriginalMessage)$/
const SIGNATURE_CLASS =
  /(^|\s)(m_-?\d+)?(gmail_signature|gmail_signature_prefix|moz-signature|protonmail_signature_block|ms-outlook-mobile-signature|elementToProof_signature|yahoo-signature|signature_editor)(\s|$)/
const SIGNATURE_ID =
  /^(x_)*(Signature|signature|AppleMailSignature|ms-outlook-mobile-signature|ymail_android_signature|mailmate-signature)$/
/** Outlook's rule above the headers of what it quotes. */
const OUTLOOK_RULE = /border:\s*none;\s*border-top:\s*solid\s+#(e1e1e1|b5c4df)\s+1(\.0)?pt/i

/** Tells how an element belongs to the history of a conversation: itself, or with all that follows it. */
export function quoteKind(element: MailElement): 'quote' | 'rest' | undefined {
  const { name, attribs } = element
  const [id, className] = [attribs['id'] ?? '', attribs['class'] ?? '']
  if (REST_ID.test(id)) return 'rest'
  if (OUTLOOK_RULE.test(attribs['style'] ?? '')) return 'rest'
  if (name === 'div' && GMAIL_QUOTE.test(className) && !holdsQuote(element)) return undefined
  if (name === 'blockquote' && (attribs['type'] ?? '').toLowerCase() === 'cite') return 'quote'
  if (QUOTE_CLASS.test(className) || QUOTE_ID.test(id)) return 'quote'
  return undefined
}

/**
 * Gmail quotes in a `blockquote` below a line of its own. A `gmail_quote` with neither is what its sender wrote, as in
 * a mail of 2009 that is nothing but two of them (test/fixtures/eml, `two_from_in_message`).
 */
function holdsQuote(element: MailElement): boolean {
  return elementsOf(element).some(
    ({ name, attribs }) => name === 'blockquote' || /(^|\s)gmail_attr(\s|$)/.test(attribs['class'] ?? ''),
  )
}

/** Tells whether a mail program marked the element as a signature. */
export function isSignature({ attribs }: MailElement): boolean {
  return (
    SIGNATURE_CLASS.test(attribs['class'] ?? '') ||
    SIGNATURE_ID.test(attribs['id'] ?? '') ||
    attribs['data-smartmail'] === 'gmail_signature'
  )
}

/** A forwarded message is what its sender wanted to show; it is no history of a conversation. */
export function isForward(element: MailElement): boolean {
  return /^\s*-{5,}\s*(forwarded|weitergeleitete|message transféré|mensaje reenviado|messaggio inoltrato)/i.test(
    textOf(element).slice(0, 200),
  )
}

/** The nodes after an element, at every level up to the root. */
export function nodesAfter(element: MailElement): MailNode[] {
  const found: MailNode[] = []
  for (let node: MailNode | null = element; node; node = parentOf(node)) {
    for (let next = node.next; next; next = next.next) found.push(next)
  }
  return found
}

function parentOf(node: MailNode): MailNode | null {
  const { parent } = node
  return parent && isElement(parent) ? parent : null
}
