/** A leaf or container of a seeded message. */
export interface SeedPart {
  readonly type: string
  readonly filename?: string
  readonly disposition?: 'attachment' | 'inline'
  readonly contentId?: string
  /** Decoded bytes; a text in UTF-8. */
  readonly content?: string | Uint8Array
  readonly parts?: readonly SeedPart[]
}

export interface SeedMessage {
  readonly id: string
  readonly threadId: string
  readonly labelIds: readonly string[]
  readonly internalDateMs: number
  /** Values as people read them; encoded where the source is asked for. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly snippet: string
  readonly root: SeedPart
}

export interface SeedLabel {
  readonly id: string
  readonly name: string
  readonly type: 'system' | 'user'
  readonly color?: { readonly textColor: string; readonly backgroundColor: string }
}

export interface SeedUser {
  readonly email: string
  readonly sub: string
  readonly name: string
  readonly aliases: readonly string[]
  readonly labels: readonly SeedLabel[]
  /** Newest first. */
  readonly messages: readonly SeedMessage[]
  readonly calendars: readonly SeedCalendar[]
  readonly contacts: readonly object[]
}

export interface SeedCalendar {
  readonly calendar: { readonly id: string; readonly [field: string]: unknown }
  readonly events: readonly { readonly id: string; readonly [field: string]: unknown }[]
}

/** A request as a handler sees it. */
export interface SandboxRequest {
  readonly method: string
  readonly url: URL
  readonly headers: { readonly [name: string]: string }
  /** As UTF-8; empty where the bytes are those of an upload. */
  readonly body: string
  readonly bytes: Uint8Array
}

export interface SandboxReply {
  readonly status: number
  readonly headers: { readonly [name: string]: string }
  readonly body: string
}
