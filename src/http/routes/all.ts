import type { Route } from '../route.ts'
import { applicationRoutes } from './applications.ts'
import { auditLogRoutes } from './audit-log.ts'
import { callbackUriRoutes } from './callback-uris.ts'
import { connectRoutes } from './connect.ts'
import { connectorRoutes } from './connectors.ts'
import { credentialRoutes } from './credentials.ts'
import { folderRoutes } from './folders.ts'
import { grantRoutes } from './grants.ts'
import { healthRoutes } from './health.ts'
import { importRoutes } from './import.ts'
import { messageRoutes } from './messages.ts'
import { oauthTokenRoutes } from './oauth-tokens.ts'
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
    ...folderRoutes(),
    ...oauthTokenRoutes(),
    ...webhookRoutes(),
    ...webhookDeliveryRoutes(),
    ...auditLogRoutes(),
  ]
}
