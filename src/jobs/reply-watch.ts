import type { JobDeps } from './job-deps.ts'
import { type Loop, startLoop } from './loop.ts'

const EVERY_MS = 15_000

/** Looks for replies to messages with `thread_replies`. Harmless in several processes at once: due threads are claimed. */
export function startReplyWatch({ replyWatcher, log }: JobDeps): Loop {
  return startLoop({
    name: 'reply-watch',
    log,
    everyMs: EVERY_MS,
    run: (signal) => replyWatcher.lookAtDue(signal),
  })
}
