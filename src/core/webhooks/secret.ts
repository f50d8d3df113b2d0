import type { Ids } from '../../kit/ids.ts'
import { Secret } from '../../kit/secret.ts'
import type { WebhookRecord } from '../ports/records.ts'
import type { SealPlace, Vault } from '../ports/vault.ts'

type Owner = Pick<WebhookRecord, 'id' | 'applicationId'>

/** 24 bytes are 32 URL-safe characters. */
const SECRET_BYTES = 24

function placeOf({ id, applicationId }: Owner): SealPlace {
  return { table: 'webhooks', column: 'sealed_secret', rowId: id, applicationId }
}

/** Makes a signing secret, and its seal for the row of that destination. */
export function newWebhookSecret(
  vault: Vault,
  ids: Ids,
  owner: Owner,
): { readonly secret: Secret; readonly sealed: string } {
  const value = ids.token(SECRET_BYTES)
  return { secret: new Secret(value), sealed: vault.seal(placeOf(owner), value) }
}

/** Opens the signing secret of a destination. */
export async function openWebhookSecret(
  vault: Vault,
  webhook: Owner & Pick<WebhookRecord, 'sealedSecret'>,
): Promise<Secret> {
  return new Secret(await vault.open(placeOf(webhook), webhook.sealedSecret))
}
