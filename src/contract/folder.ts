import { Type, type Static } from 'typebox'

export const Folder = Type.Object(
  {
    id: Type.Optional(Type.String()),
    grant_id: Type.Optional(Type.String()),
    object: Type.Optional(Type.Literal('folder')),
    name: Type.Optional(Type.String()),
    parent_id: Type.Optional(Type.String()),
    child_count: Type.Optional(Type.Integer()),
    background_color: Type.Optional(Type.String()),
    text_color: Type.Optional(Type.String()),
    system_folder: Type.Optional(Type.Boolean()),
    total_count: Type.Optional(Type.Integer()),
    unread_count: Type.Optional(Type.Integer()),
    attributes: Type.Optional(Type.Array(Type.String())),
  },
  { $id: 'Folder' },
)
export type WireFolder = Static<typeof Folder>

const Colour = Type.Optional(
  Type.String({ pattern: '^#[0-9A-Fa-f]{6}$', description: '#RRGGBB, of Google’s palette' }),
)
const FOLDER_FIELDS = {
  parent_id: Type.Optional(Type.String()),
  text_color: Colour,
  background_color: Colour,
}

/** Body of `POST /folders` (contract/email.md 7.1). */
export const FolderCreateBody = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 1024 }),
  ...FOLDER_FIELDS,
})
export type FolderCreateBody = Static<typeof FolderCreateBody>

/** Body of `PUT /folders/{id}`: only given fields change. */
export const FolderUpdateBody = Type.Object({
  name: Type.Optional(Type.String({ minLength: 1, maxLength: 1024 })),
  ...FOLDER_FIELDS,
})
export type FolderUpdateBody = Static<typeof FolderUpdateBody>

/** A whole folder as an adapter gives it. */
export interface FullFolder extends WireFolder {
  id: string
  grant_id: string
  object: 'folder'
  name: string
  system_folder: boolean
  attributes: string[]
}

/** Attribute of a folder whose server names it only by its name (contract/email.md 7.3); compared in lower case. */
export const FOLDER_NAME_ATTRIBUTES: readonly (readonly [attribute: string, names: readonly string[]])[] = [
  ['\\Inbox', ['inbox']],
  ['\\Sent', ['sent', 'sent items', 'sent mail', 'sent messages']],
  ['\\Drafts', ['draft', 'drafts']],
  ['\\Junk', ['spam', 'junk', 'bulk', 'bulk mail']],
  ['\\Trash', ['trash', 'deleted', 'deleted items', 'deleted messages']],
  ['\\Archive', ['archive']],
]
