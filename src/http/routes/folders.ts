import { Type } from 'typebox'
import { cursorList, Deleted, single } from '../../contract/envelope.ts'
import { appError } from '../../contract/errors.ts'
import { Folder, FolderCreateBody, FolderUpdateBody } from '../../contract/folder.ts'
import { cursorPage } from '../present/page.ts'
import { readMailbox, SharedFrom } from '../query/in-mailbox.ts'
import { Limit, readLimit, Select } from '../query/page.ts'
import { grantRoute, type Route } from '../route.ts'

const Text = Type.Optional(Type.String({ maxLength: 4096 }))
const Flag = Type.Optional(Type.Boolean())
// The Python SDK doesn't encode folder ids: /folders/INBOX/Sub is one id (contract/email.md G8).
const ONE_FOLDER = '/v3/grants/:grant_id/folders/*'
const OneFolder = { grant_id: Type.String(), '*': Type.String() }

/** Folders (contract/email.md 7). */
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
        shared_from: SharedFrom,
      },
      response: cursorList(Folder),
      handle: async ({ services, query, context }, grant) => {
        const request = {
          limit: readLimit(query.limit),
          includeHiddenFolders: query.include_hidden_folders ?? false,
          singleLevel: query.single_level ?? false,
          ...(query.page_token === undefined ? {} : { pageToken: query.page_token }),
          ...(query.parent_id === undefined ? {} : { parentId: query.parent_id }),
          ...readMailbox(query),
        }
        return cursorPage(await services.mail.listFolders(grant, request, context))
      },
    }),
    grantRoute('mail', {
      method: 'POST',
      url: '/v3/grants/:grant_id/folders',
      operationId: 'createFolder',
      summary: 'Create a folder',
      tag,
      params: { grant_id: Type.String() },
      query: { select: Select },
      body: FolderCreateBody,
      response: single(Folder),
      handle: async ({ services, body, context }, grant) => ({
        data: await services.mail.createFolder(grant, body, context),
      }),
    }),
    grantRoute('mail', {
      method: 'GET',
      url: ONE_FOLDER,
      operationId: 'getFolder',
      summary: 'Get a folder',
      tag,
      params: OneFolder,
      query: { select: Select, shared_from: SharedFrom },
      response: single(Folder),
      handle: async ({ services, params, query, context }, grant) => ({
        data: await services.mail.findFolder(grant, idOf(params), readMailbox(query), context),
      }),
    }),
    grantRoute('mail', {
      method: 'PUT',
      url: ONE_FOLDER,
      operationId: 'updateFolder',
      summary: 'Rename a folder, move or colour it',
      tag,
      params: OneFolder,
      query: { select: Select },
      body: FolderUpdateBody,
      response: single(Folder),
      handle: async ({ services, params, body, context }, grant) => ({
        data: await services.mail.updateFolder(grant, idOf(params), body, context),
      }),
    }),
    grantRoute('mail', {
      method: 'DELETE',
      url: ONE_FOLDER,
      operationId: 'deleteFolder',
      summary: 'Delete a folder with its messages (Google: the label alone)',
      tag,
      params: OneFolder,
      response: Deleted,
      handle: async ({ services, params, context }, grant) => {
        await services.mail.deleteFolder(grant, idOf(params), context)
        return {}
      },
    }),
  ]
}

function idOf({ '*': id }: { readonly '*': string }): string {
  if (id === '') throw appError('api.not_found_error')
  return id
}
