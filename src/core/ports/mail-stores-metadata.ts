import type { ApplicationId, GrantId } from '../../contract/ids.ts'
import type { JsonObject } from '../../kit/json.ts'
import type { MetadataKind } from './mail-services.ts'

/** Which object of a grant's mailbox metadata belongs to; the id is the provider's. */
export interface MetadataOwner {
  readonly grantId: GrantId
  readonly kind: MetadataKind
}

/** A row a pair was found in. `seq` grows with each new object. */
export interface FoundMetadata {
  readonly seq: number
  readonly objectId: string
}

/** Metadata of provider objects. It goes with its grant. */
export interface MetadataStore {
  /**
   * Replaces the metadata of an object, whole; `indexed` are the `key:value` texts that find it. To be called in a
   * transaction that holds the grant.
   */
  put(
    owner: MetadataOwner & { readonly applicationId: ApplicationId },
    objectId: string,
    metadata: JsonObject,
    indexed: readonly string[],
  ): Promise<void>
  /** Metadata by object id; objects without any are left out. */
  find(owner: MetadataOwner, objectIds: readonly string[]): Promise<ReadonlyMap<string, JsonObject>>
  /** The next objects with that pair, newest first. @param beforeSeq  only older ones */
  listWithPair(
    owner: MetadataOwner,
    pair: string,
    page: { readonly limit: number; readonly beforeSeq?: number },
  ): Promise<readonly FoundMetadata[]>
  /** Idempotent. */
  remove(owner: MetadataOwner, objectId: string): Promise<void>
}
