import { html } from './html.ts'
import type { Page } from './layout.ts'
import { TEXTS } from './texts.ts'

const WORDS = TEXTS.leave

/** Goes on to another site by itself, with a link for where that is switched off (and for apps that want a tap). */
export function leavePage(url: string): Page {
  return {
    heading: WORDS.heading,
    hasError: false,
    refreshTo: url,
    content: html`<p class="advice">${WORDS.advice}</p>
<p><a class="button main" href="${url}">${WORDS.link}</a></p>`,
  }
}
