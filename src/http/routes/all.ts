import type { Route } from '../route.ts'
import { applicationRoutes } from './applications.ts'
import { attachmentRoutes } from './attachments.ts'
import { auditLogRoutes } from './audit-log.ts'
import { callbackUriRoutes } from './callback-uris.ts'
import { cleanRoutes } from './clean.ts'
import { connectRoutes } from './connect.ts'
import { connectorRoutes } from './connectors.ts'
import { credentialRoutes } from './credentials.ts'
import { draftRoutes } from './drafts.ts'
import { folderRoutes } from './folders.ts'
import { grantRoutes } from './grants.ts'
import { healthRoutes } from './health.ts'
import { importRoutes } from './import.ts'
import { messageRoutes } from './messages.ts'
import { oauthTokenRoutes } from './oauth-tokens.ts'
import { scheduleRoutes } from './schedules.ts'
import { sendRoutes } from './send.ts'
import { signatureRoutes } from './signatures.ts'
import { smartComposeRoutes } from './smart-compose.ts'
import { templateRoutes } from './templates.ts'
import { threadRoutes } from './threads.ts'
import { uploadRoutes } from './uploads.ts'
import { webhookDeliveryRoutes } from './webhook-deliveries.ts'
import { webhookRoutes } from './webhooks.ts'

/** The route table: everything the server answers in JSON. */
export function allRoutes(): readonly Route[] {
  return [
    ...healthRoutes(),
    ...applicationRoutes(),
    ...callbackUriRoutes(),
    ...connectorRoutes(),
    ...credentialRoutes(),
    ...connectRoutes(),
    ...importRoutes(),
    ...grantRoutes(),
    ...messageRoutes(),
    ...cleanRoutes(),
    ...smartComposeRoutes(),
    ...sendRoutes(),
    ...scheduleRoutes(),
    ...uploadRoutes(),
    ...draftRoutes(),
    ...threadRoutes(),
    ...signatureRoutes(),
    ...templateRoutes(),
    ...folderRoutes(),
    ...attachmentRoutes(),
    ...oauthTokenRoutes(),
    ...webhookRoutes(),
    ...webhookDeliveryRoutes(),
    ...auditLogRoutes(),
  ]
}
