import type { Branding } from '../../core/ports/oauth-services.ts'
import { Html, html } from './html.ts'
import { httpsUrl } from './https-url.ts'
import { styleSheet } from './styles.ts'
import { TEXTS } from './texts.ts'

/** What every page needs to know. */
export interface PageContext {
  readonly branding: Branding | null
  /** of this answer; allows its style element and nothing else */
  readonly nonce: string
}

/** How a form of a session is sent. */
export interface FormContext {
  /** address of the session's page; its actions are below it */
  readonly path: string
  /** proves that a form is of this session and this browser */
  readonly token: string
}

/** The name of the field that carries the form's token. */
export const TOKEN_FIELD = 'csrf'

export interface Page {
  /** the heading, unless the application named one of its own */
  readonly heading: string
  readonly subtitle?: string
  readonly hasError: boolean
  readonly content: Html
  /** goes on to this address by itself */
  readonly refreshTo?: string
}

/** Puts a page into the frame that all have. */
export function writePage({ branding, nonce }: PageContext, page: Page): string {
  const title = page.hasError ? TEXTS.errorInTitle(page.heading) : page.heading
  const name = branding?.name ?? ''
  const icon = httpsUrl(branding?.iconUrl)
  return html`<!doctype html>
<html lang="${TEXTS.language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${name === '' ? title : `${title} – ${name}`}</title>
${page.refreshTo !== undefined && html`<meta http-equiv="refresh" content="0; url=${page.refreshTo}">`}
<style nonce="${nonce}">${new Html(styleSheet(branding))}</style>
</head>
<body>
<div class="card">
${
  (icon || name !== '') &&
  html`<header>
${icon && html`<img class="icon" src="${icon.href}" alt="${TEXTS.iconOf(name)}">`}
${name !== '' && html`<p class="app">${name}</p>`}
</header>`
}
<main>
<h1>${page.heading}</h1>
${page.subtitle !== undefined && page.subtitle !== '' && html`<p class="subtitle">${page.subtitle}</p>`}
<div class="content">
${page.content}
</div>
</main>
${footer(branding)}
</div>
</body>
</html>
`.toString()
}

function footer(branding: Branding | null): Html | null {
  const links = [
    { url: httpsUrl(branding?.termsOfServiceUrl), text: TEXTS.termsOfService },
    { url: httpsUrl(branding?.privacyPolicyUrl), text: TEXTS.privacyPolicy },
  ].flatMap(({ url, text }) => (url ? [html`<li><a href="${url.href}" rel="noopener">${text}</a></li>`] : []))
  if (links.length === 0) return null
  return html`<footer><nav aria-label="${TEXTS.legal}"><ul>${links}</ul></nav></footer>`
}

/** The name of the application, for the middle of a sentence. */
export function appName(branding: Branding | null): string {
  return branding && branding.name !== '' ? branding.name : TEXTS.thisApp
}

/** A form of a session: sent with its token, checked by the server alone. */
export function sessionForm(form: FormContext, action: string, content: Html): Html {
  return html`<form method="post" action="${form.path}/${action}" novalidate>
<input type="hidden" name="${TOKEN_FIELD}" value="${form.token}">
${content}
</form>`
}

/** The ways out below a form. */
export function waysOut(form: FormContext, branding: Branding | null, canGoBack: boolean): Html {
  const back = sessionForm(
    form,
    'provider',
    html`<button class="quiet" name="provider" value="">${TEXTS.form.back}</button>`,
  )
  const cancel = sessionForm(
    form,
    'cancel',
    html`<button class="quiet">${TEXTS.cancel(appName(branding))}</button>`,
  )
  return html`<div class="ways">${canGoBack && back}${cancel}</div>`
}

/** What went wrong, read out as soon as the page is there. */
export function alert(error: string | undefined): Html | null {
  return error === undefined ? null : html`<div class="alert" role="alert" id="error"><p>${error}</p></div>`
}
