import type { WebhookRecord } from '../core/ports/records.ts'
import type { JobDeps } from './job-deps.ts'
import { type Loop, startLoop } from './loop.ts'

const EVERY_MS = 30_000
const BATCH = 100
/** One process in this time tries to send a notice. */
const TURN_MS = 5 * 60_000

/**
 * Tells the addresses of a destination by mail that it is failing or has failed, once for each time: noted after
 * sending, so a process that dies in between makes a second one. Without a mail server the log is all.
 */
export function startWebhookNotices({ database, mailer, log }: JobDeps): Loop {
  const { webhooks, rates } = database.stores
  return startLoop({
    name: 'webhook-notices',
    log,
    everyMs: EVERY_MS,
    async run(signal) {
      for (const webhook of await webhooks.listUntold(BATCH)) {
        if (signal.aborted) return false
        const told = { webhookId: webhook.id, applicationId: webhook.applicationId, status: webhook.status }
        if (mailer === null) {
          if (await webhooks.markTold(webhook.id, webhook.status)) log.warn(told, 'webhook.no_mail_server')
          continue
        }
        const turn = await rates.take(`webhook-notice:${webhook.id}:${webhook.status}`, 1, TURN_MS, 1)
        if (turn.granted === 0) continue
        try {
          await mailer.send({ to: webhook.notificationEmailAddresses, ...noticeOf(webhook) }, signal)
        } catch (error) {
          log.warn({ ...told, err: error }, 'webhook.notice_not_sent')
          continue
        }
        await webhooks.markTold(webhook.id, webhook.status)
      }
      return false
    },
  })
}

function noticeOf(webhook: WebhookRecord): { readonly subject: string; readonly text: string } {
  const { host } = new URL(webhook.url)
  const since = new Date(webhook.statusUpdatedAt * 1000).toUTCString()
  const about = [
    `Destination: ${host}`,
    `Id: ${webhook.id}`,
    ...(webhook.description === '' ? [] : [`Description: ${webhook.description}`]),
    `Since: ${since}`,
  ].join('\n')
  if (webhook.status === 'failed') {
    return {
      subject: `Webhook destination ${host} has failed`,
      text:
        `Nearly every delivery to this webhook destination has failed for 72 hours. Deliveries have stopped.` +
        `\n\n${about}\n\nWhen the receiver works again, set the destination's status to "active". What it has missed is ` +
        `kept for 30 days and can then be replayed.\n`,
    }
  }
  return {
    subject: `Webhook destination ${host} is failing`,
    text:
      `Nearly every delivery of the last 15 minutes to this webhook destination has failed. Deliveries go on, ever ` +
      `more seldom. If this lasts for 72 hours they stop.\n\n${about}\n\nA receiver must answer with a 2xx status ` +
      `within 10 seconds.\n`,
  }
}
