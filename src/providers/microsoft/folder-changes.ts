import type { FolderChangesPort } from '../../core/ports/mail.ts'
import type { GrantSession } from '../../core/ports/grant-session.ts'
import { type JsonObject, stringField } from '../../kit/json.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import { type GraphApi, openGraph } from './api.ts'
import { toFolder } from './folders.ts'
import { type GraphDeps, throwWithoutId } from './graph-call.ts'
import { checkId } from './mailbox.ts'

/**
 * Changes of mail folders by Microsoft Graph. Folders have no colours at Microsoft: those are ignored. Ids stay what
 * they are when a folder is renamed or moved.
 */
export function createGraphFolderChanges(deps: GraphDeps): FolderChangesPort {
  const finish = async (session: GrantSession, api: GraphApi, resource: JsonObject) =>
    toFolder(resource, session.grantId, await deps.wellKnown.of(session, api)) ?? throwWithoutId('a folder')

  const refuseSystemFolder = async (session: GrantSession, api: GraphApi, id: string, what: string) => {
    const roles = await deps.wellKnown.of(session, api)
    const attribute = roles.attributeOf(id)
    if (attribute !== undefined) {
      throw new ProviderError('invalid-request', `A system folder (${attribute}) cannot be ${what}.`)
    }
  }
  return {
    async create(session, { name, parent_id }) {
      const api = openGraph(deps, session)
      const path =
        parent_id === undefined
          ? `${api.root}/mailFolders`
          : `${folderPath(api, checkId(parent_id, 'parent_id'))}/childFolders`
      const body = { displayName: name }
      return finish(session, api, await api.changeJson({ method: 'POST', path, body }, 'refused'))
    },
    async update(session, id, { name, parent_id }) {
      checkId(id, 'folder_id')
      if (parent_id !== undefined) checkId(parent_id, 'parent_id')
      const api = openGraph(deps, session)
      const path = folderPath(api, id)
      let resource = await api.getJson(path)
      const isRenamed = name !== undefined && name !== resource['displayName']
      const isMoved = parent_id !== undefined && parent_id !== resource['parentFolderId']
      if (isRenamed || isMoved) await refuseSystemFolder(session, api, id, 'renamed or moved')
      if (isRenamed) {
        const body = { displayName: name }
        resource = { ...resource, ...(await api.changeJson({ method: 'PATCH', path, body }, 'always')) }
      }
      if (isMoved) {
        const body = { destinationId: parent_id }
        const moved = await api.changeJson({ method: 'POST', path: `${path}/move`, body }, 'always')
        resource = {
          ...resource,
          ...moved,
          parentFolderId: stringField(moved, 'parentFolderId') ?? parent_id,
        }
      }
      return finish(session, api, resource)
    },
    async delete(session, id) {
      checkId(id, 'folder_id')
      const api = openGraph(deps, session)
      await refuseSystemFolder(session, api, id, 'deleted')
      await api.change({ method: 'DELETE', path: folderPath(api, id) }, 'always')
    },
  }
}

function folderPath(api: GraphApi, id: string): string {
  return `${api.root}/mailFolders/${encodeURIComponent(id)}`
}
