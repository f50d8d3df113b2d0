import { parentPort } from 'node:worker_threads'
import { conversationOf, type ConversationOptions } from '../../../formats/html/conversation.ts'

/*
 * What a worker thread of `clean-pool.ts` runs: one body after another, each answered with its text. It is started as a
 * program of its own and imported by nobody.
 */

/** The first thing a thread says. */
const READY = null

/** A body to work on, as the pool posts it. */
export interface CleanTask {
  readonly body: string
  readonly options: ConversationOptions
}

// The boundary of the thread: only the pool posts here.
parentPort?.on('message', ({ body, options }: CleanTask) => {
  parentPort?.postMessage(conversationOf(body, options))
})
parentPort?.postMessage(READY)
