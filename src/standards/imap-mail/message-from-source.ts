import type { FullMessage } from '../../contract/message.ts'
import { parseMessage } from '../../formats/mime/parse-message.ts'
import { encodePlaceId, type MessagePlace } from './message-id.ts'
import { bodyPartOf, NO_BODY, toBody, toHead, toWireMessage } from './to-wire.ts'

/**
 * Maps a whole RFC 5322 source to a wire message by the same code that lists use. Never throws.
 * @param at  what the source doesn't tell
 */
export function messageFromSource(
  source: Uint8Array,
  at: {
    readonly grantId: string
    readonly date: number
    readonly folders: readonly string[]
    readonly unread: boolean
    readonly starred: boolean
    readonly place: MessagePlace
  },
): FullMessage {
  const parsed = parseMessage(source)
  const head = toHead(parsed.headers, parsed.structure)
  const leaf = bodyPartOf(head)
  const bytes = leaf && parsed.contentOf(leaf.part)
  return toWireMessage({
    id: head.messageId ?? encodePlaceId(at.place),
    grantId: at.grantId,
    date: at.date,
    folders: at.folders,
    unread: at.unread,
    starred: at.starred,
    head,
    body: leaf && bytes ? toBody(leaf.node, bytes) : NO_BODY,
  })
}
