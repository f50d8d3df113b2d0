import type { ApplicationId, GrantId } from '../../contract/ids.ts'

/** Bytes that are kept for a while. Their pieces are sealed under a key of their own, which is sealed in this row. */
export interface ContentRecord {
  readonly id: string
  readonly applicationId: ApplicationId
  readonly grantId: GrantId
  /** the schedule or upload they belong to */
  readonly ownerId: string
  readonly sealedKey: string
  /** null while they are being written */
  readonly sizeBytes: number | null
}

/** Kept bytes, in sealed pieces. They go with their grant. */
export interface ContentStore {
  /** Begins to keep bytes. @param expiresInMs  from now on, by the database's clock */
  insert(record: Omit<ContentRecord, 'sizeBytes'>, expiresInMs: number): Promise<void>
  addPiece(contentId: string, position: number, box: Uint8Array): Promise<void>
  /** All pieces are there. @returns false when the content is gone */
  finish(contentId: string, sizeBytes: number): Promise<boolean>
  find(contentId: string): Promise<ContentRecord | null>
  /** @returns null when there is no such piece */
  piece(contentId: string, position: number): Promise<Uint8Array | null>
  /** Keeps whatever an owner has until it is removed. @returns how many */
  keep(ownerId: string): Promise<number>
  remove(contentId: string): Promise<void>
  removeOf(ownerId: string): Promise<void>
  /** @returns how many were deleted, at most `limit` */
  deleteExpired(limit: number): Promise<number>
}

/** A large upload (contract/email.md 9.4). */
export interface UploadRecord {
  readonly id: string
  readonly applicationId: ApplicationId
  readonly grantId: GrantId
  readonly filename: string
  readonly contentType: string
  /** 0: not announced */
  readonly announcedBytes: number
  readonly state: 'uploading' | 'ready'
  /** null until the bytes are there */
  readonly content: { readonly id: string; readonly sizeBytes: number } | null
  /** SHA-256 of the token in its address, hex */
  readonly tokenHash: string
  /** Unix seconds, by the database's clock */
  readonly expiresAt: number
  readonly isExpired: boolean
}

/** Sessions of large uploads. They go with their grant. */
export interface UploadStore {
  insert(
    record: Omit<UploadRecord, 'state' | 'content' | 'expiresAt' | 'isExpired'>,
    expiresInMs: number,
  ): Promise<void>
  /** Whatever its state, expired ones included. */
  find(id: string): Promise<UploadRecord | null>
  /** Points an upload that still takes bytes at new ones. @returns false when it takes none any more */
  setContent(id: string, content: { readonly id: string; readonly sizeBytes: number }): Promise<boolean>
  /** Takes no more bytes from now on. @returns false unless it was uploading, with these bytes */
  complete(id: string, contentId: string): Promise<boolean>
  /** Deletes those that expired that long ago. @returns how many, at most `limit` */
  deleteExpired(ageMs: number, limit: number): Promise<number>
}
