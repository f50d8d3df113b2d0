import type { Branding, FormField, HostedStep } from '../../core/ports/oauth-services.ts'
import { type Html, html } from './html.ts'
import { alert, appName, type FormContext, type Page, sessionForm, waysOut } from './layout.ts'
import { TEXTS } from './texts.ts'

type FormStep = Extract<HostedStep, { readonly kind: 'form' }>

const WORDS = TEXTS.form
const MOST_CHARACTERS = 1024

/** The form of a provider without a consent page: the credentials of a mailbox. */
export function formPage(step: FormStep, form: FormContext, branding: Branding | null): Page {
  const { provider, fields, error } = step
  const advanced = fields.filter((field) => field.advanced)
  const isOpen = advanced.some((field) => field.error !== undefined || field.value !== '')
  const focused = focusedField(fields)
  const write = (field: FormField) => fieldOf(field, field.name === focused)
  const help = Object.hasOwn(TEXTS.help, provider.provider) ? TEXTS.help[provider.provider] : undefined
  return {
    heading: provider.provider === 'imap' ? WORDS.mailboxHeading : WORDS.heading(provider.displayName),
    subtitle: WORDS.subtitle(appName(branding)),
    hasError: error !== undefined || fields.some((field) => field.error !== undefined),
    content: html`${alert(error)}
${sessionForm(
  form,
  'form',
  html`<div class="fields">
${fields.filter((field) => !field.advanced).map(write)}
${help && html`<p class="help"><a href="${help.url}" target="_blank" rel="noopener noreferrer">${help.text}</a></p>`}
${
  advanced.length > 0 &&
  html`<details${isOpen && html` open`}>
<summary>${WORDS.advanced}</summary>
<div class="fields">
<p class="hint">${WORDS.advancedHint}</p>
${advanced.map(write)}
</div>
</details>`
}
<div>
<button class="main">${WORDS.submit}</button>
<p class="note">${WORDS.wait}</p>
</div>
</div>`,
)}
${waysOut(form, branding, step.canGoBack)}`,
  }
}

/** The first one that is wrong, else the first that is empty, so that nobody has to look for it. */
function focusedField(fields: readonly FormField[]): string | undefined {
  const wrong = fields.find((field) => field.error !== undefined)
  return (wrong ?? fields.find((field) => !field.advanced && field.value === ''))?.name
}

function fieldOf(field: FormField, isFocused: boolean): Html {
  const id = `field-${field.name}`
  const hint = field.hint === undefined ? '' : `${id}-hint`
  const error = field.error === undefined ? '' : `${id}-error`
  const describedBy = [error, hint].filter(Boolean).join(' ')
  return html`<div>
<label for="${id}">${field.label}${!field.required && !field.advanced && html` <span class="optional">(${WORDS.optional})</span>`}</label>
${hint !== '' && html`<p class="hint" id="${hint}">${field.hint}</p>`}
${error !== '' && html`<p class="field-error" id="${error}">${WORDS.fieldError} ${field.error}</p>`}
<input id="${id}" name="${field.name}" ${inputKind(field)} maxlength="${MOST_CHARACTERS}" autocapitalize="none" spellcheck="false"
 ${field.required && html`required`} ${describedBy !== '' && html`aria-describedby="${describedBy}"`}
 ${error !== '' && html`aria-invalid="true"`} ${isFocused && html`autofocus`}>
</div>`
}

/** Numbers are text with a keypad: a number field changes by a turn of the mouse wheel. A password never comes back. */
function inputKind({ type, value, advanced }: FormField): Html {
  switch (type) {
    case 'email':
      return html`type="email" value="${value}" autocomplete="username"`
    case 'password':
      return html`type="password" autocomplete="${advanced ? 'off' : 'current-password'}"`
    case 'number':
      return html`type="text" inputmode="numeric" value="${value}" autocomplete="off"`
    case 'text':
      return html`type="text" value="${value}" autocomplete="off"`
  }
}
