import { html } from './html.ts'
import type { Page } from './layout.ts'
import { TEXTS } from './texts.ts'

/** What has ended a sign-in. */
export interface Stop {
  readonly status: number
  readonly type: string
  readonly message: string
}

const WORDS = TEXTS.stop

/** The end of a sign-in: what happened, and what the user can do. */
export function stopPage({ type, message }: Stop, requestId: string): Page {
  const text = (Object.hasOwn(WORDS.byType, type) ? WORDS.byType[type] : undefined) ?? WORDS.otherwise
  return {
    heading: text.heading,
    hasError: true,
    content: html`<div class="alert" role="alert"><p>${message}</p></div>
<p class="advice">${text.advice}</p>
<p class="note">${TEXTS.requestReference} <span class="reference">${requestId}</span></p>`,
  }
}

/** A form that was not sent from a page of ours, or whose cookie is gone. Nothing was done; it can be sent again. */
export function forgedPage(path: string): Page {
  const { heading, message, advice } = WORDS.forged
  return {
    heading,
    hasError: true,
    content: html`<div class="alert" role="alert"><p>${message}</p></div>
<p class="advice">${advice}</p>
<p><a class="button main" href="${path}">${WORDS.startAgain}</a></p>`,
  }
}
