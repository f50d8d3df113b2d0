import type { Branding, HostedStep } from '../../core/ports/oauth-services.ts'
import { type Html, html } from './html.ts'
import { alert, appName, type FormContext, type Page, sessionForm, waysOut } from './layout.ts'
import { TEXTS } from './texts.ts'

type ChooseStep = Extract<HostedStep, { readonly kind: 'choose' }>

const WORDS = TEXTS.choose

/** The choice of a provider: buttons, a box for the address, or both in the order that was asked for. */
export function choosePage(step: ChooseStep, form: FormContext, branding: Branding | null): Page {
  const panels = step.panels.flatMap((panel, at): readonly Html[] => {
    const content = panel === 'detect' ? detectPanel(step, form, at === 0) : providersPanel(step, form)
    return at === 0 ? [content] : [html`<div class="or">${WORDS.or}</div>`, content]
  })
  const subtitle = branding?.subtitle ?? ''
  return {
    heading: branding && branding.title !== '' ? branding.title : WORDS.heading,
    subtitle: subtitle === '' ? WORDS.subtitle(appName(branding)) : subtitle,
    hasError: step.error !== undefined,
    content: html`${alert(step.error)}
<div class="panels">${panels}</div>
${waysOut(form, branding, false)}`,
  }
}

function providersPanel({ providers }: ChooseStep, form: FormContext): Html {
  if (providers.length === 0) return html`<p>${WORDS.nothing}</p>`
  const buttons = providers.map(({ provider, displayName }) => {
    const text = WORDS.continueWith(WORDS.names[provider] ?? displayName)
    return html`<li><button class="choice" name="provider" value="${provider}">${text}</button></li>`
  })
  return html`<section aria-labelledby="providers">
<h2 id="providers">${WORDS.providers}</h2>
${sessionForm(form, 'provider', html`<ul role="list">${buttons}</ul>`)}
</section>`
}

function detectPanel(step: ChooseStep, form: FormContext, isFirst: boolean): Html {
  const hasError = step.error !== undefined
  return sessionForm(
    form,
    'detect',
    html`<div class="fields">
<div>
<label for="email">${WORDS.address}</label>
<p class="hint" id="email-hint">${WORDS.addressHint}</p>
<input id="email" name="email" type="email" value="${step.loginHint}" required maxlength="320" autocomplete="email"
 autocapitalize="none" spellcheck="false" aria-describedby="${hasError ? 'error ' : ''}email-hint"
 ${hasError && html`aria-invalid="true"`} ${(isFirst || hasError) && html`autofocus`}>
</div>
<button class="main">${WORDS.detect}</button>
</div>`,
  )
}
