import { Type } from 'typebox'
import { cursorList, single } from '../../contract/envelope.ts'
import { appError } from '../../contract/errors.ts'
import { Folder } from '../../contract/folder.ts'
import { cursorPage } from '../present/page.ts'
import { Limit, readLimit, Select } from '../query/page.ts'
import { grantRoute, type Route } from '../route.ts'

const Text = Type.Optional(Type.String({ maxLength: 4096 }))
const Flag = Type.Optional(Type.Boolean())

/** Reading folders (contract/email.md 7). */
export function folderRoutes(): readonly Route[] {
  const tag = 'Folders'
  return [
    grantRoute('mail', {
      method: 'GET',
      url: '/v3/grants/:grant_id/folders',
      operationId: 'listFolders',
      summary: 'List folders',
      tag,
      params: { grant_id: Type.String() },
      query: {
        limit: Limit,
        page_token: Text,
        select: Select,
        parent_id: Text,
        include_hidden_folders: Flag,
        single_level: Flag,
        shared_from: Text,
      },
      response: cursorList(Folder),
      handle: async ({ services, query, context }, grant) => {
        const request = {
          limit: readLimit(query.limit),
          includeHiddenFolders: query.include_hidden_folders ?? false,
          singleLevel: query.single_level ?? false,
          ...(query.page_token === undefined ? {} : { pageToken: query.page_token }),
          ...(query.parent_id === undefined ? {} : { parentId: query.parent_id }),
          ...(query.shared_from === undefined ? {} : { sharedFrom: query.shared_from }),
        }
        return cursorPage(await services.mail.listFolders(grant, request, context))
      },
    }),
    grantRoute('mail', {
      method: 'GET',
      // The Python SDK doesn't encode folder ids: /folders/INBOX/Sub is one id (contract/email.md G8).
      url: '/v3/grants/:grant_id/folders/*',
      operationId: 'getFolder',
      summary: 'Get a folder',
      tag,
      params: { grant_id: Type.String(), '*': Type.String() },
      query: { select: Select, shared_from: Text },
      response: single(Folder),
      handle: async ({ services, params, query, context }, grant) => {
        const id = params['*']
        if (id === '') throw appError('api.not_found_error')
        const options = query.shared_from === undefined ? {} : { sharedFrom: query.shared_from }
        return { data: await services.mail.findFolder(grant, id, options, context) }
      },
    }),
  ]
}
