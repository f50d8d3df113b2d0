import type { FullFolder } from '../../contract/folder.ts'
import { isJsonObject, type JsonObject, numberField, stringField } from '../../kit/json.ts'

/** Attributes of Gmail's own labels (contract/email.md 7.3). */
const ATTRIBUTES: { readonly [label: string]: string } = {
  INBOX: '\\Inbox',
  SENT: '\\Sent',
  DRAFT: '\\Drafts',
  SPAM: '\\Junk',
  TRASH: '\\Trash',
  IMPORTANT: '\\Important',
  STARRED: '\\Flagged',
}

/** Maps a label; wrong or missing fields become empty values, counts and colours are left out. */
export function labelToFolder(label: JsonObject, grantId: string): FullFolder {
  const id = stringField(label, 'id') ?? ''
  const color = isJsonObject(label['color']) ? label['color'] : {}
  const textColor = stringField(color, 'textColor')
  const backgroundColor = stringField(color, 'backgroundColor')
  const total = count(label, 'messagesTotal')
  const unread = count(label, 'messagesUnread')
  const isSystem = label['type'] === 'system'
  const attribute = isSystem ? ATTRIBUTES[id] : undefined
  return {
    id,
    grant_id: grantId,
    object: 'folder',
    name: stringField(label, 'name') ?? id,
    system_folder: isSystem,
    attributes: attribute === undefined ? [] : [attribute],
    ...(textColor ? { text_color: textColor } : {}),
    ...(backgroundColor ? { background_color: backgroundColor } : {}),
    ...(total === undefined ? {} : { total_count: total }),
    ...(unread === undefined ? {} : { unread_count: unread }),
  }
}

function count(label: JsonObject, name: string): number | undefined {
  const value = numberField(label, name)
  return value === undefined || value < 0 ? undefined : Math.floor(value)
}
