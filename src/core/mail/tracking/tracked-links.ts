import type { ApplicationId } from '../../../contract/ids.ts'
import type { Vault } from '../../ports/vault.ts'

// Links may sign somebody in or reset a password: they are sealed as secrets are.
const place = (id: string, applicationId: ApplicationId) => ({
  table: 'tracked_messages',
  column: 'sealed_links',
  rowId: id,
  applicationId,
})

/** Seals the links of a message. */
export function sealLinks(
  vault: Vault,
  id: string,
  applicationId: ApplicationId,
  links: readonly string[],
): string {
  return vault.seal(place(id, applicationId), JSON.stringify(links))
}

/** Opens them. @throws when the seal does not open there: a fault of ours */
export async function openLinks(
  vault: Vault,
  id: string,
  row: { readonly applicationId: ApplicationId; readonly sealedLinks: string },
): Promise<readonly string[]> {
  const links: unknown = JSON.parse(await vault.open(place(id, row.applicationId), row.sealedLinks))
  return Array.isArray(links) ? links.filter((link) => typeof link === 'string') : []
}
