/** Trigger names of grant events (contract/webhooks.md). */
export const GRANT_TRIGGERS = ['grant.created', 'grant.updated', 'grant.deleted', 'grant.expired'] as const
export type GrantTrigger = (typeof GRANT_TRIGGERS)[number]
