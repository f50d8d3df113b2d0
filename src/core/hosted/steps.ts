import type { CredentialForm } from '../ports/authorization.ts'
import type { FormField, HostedStep } from '../ports/oauth-services.ts'
import type { ProviderModule } from '../ports/provider.ts'
import { isDirect, type Option } from './choices.ts'
import type { HostedRequest } from './hosted-request.ts'

/** The choice of a provider. After a failed detection the buttons are there, whatever was asked for. */
export function chooseStep(
  options: readonly Option[],
  request: Pick<HostedRequest, 'panels' | 'loginHint'>,
  failed: { readonly email: string; readonly error: string } | null = null,
): HostedStep {
  const panels = new Set(failed ? [...request.panels, 'providers' as const] : request.panels)
  return {
    kind: 'choose',
    panels: [...panels],
    providers: options.map(({ module }) => ({ provider: module.id, displayName: module.displayName })),
    loginHint: failed?.email ?? request.loginHint,
    ...(failed ? { error: failed.error } : {}),
  }
}

/** What is wrong with what was typed. */
export interface FormFault {
  readonly error: string
  /** texts beside the fields, by name */
  readonly fields?: { readonly [name: string]: string }
  /** the seldom needed fields are shown: one of them has to be filled in */
  readonly showAdvanced?: boolean
}

/**
 * The form of a provider, with what was typed before. Passwords are never sent back.
 * @param typed  by field; on the first look only the address
 */
export function formStep(
  module: ProviderModule,
  form: CredentialForm,
  request: Pick<HostedRequest, 'providers' | 'loginHint' | 'smtpRequired'>,
  typed: { readonly [name: string]: string } = { [form.addressField]: request.loginHint },
  fault: FormFault | null = null,
): HostedStep {
  return {
    kind: 'form',
    provider: { provider: module.id, displayName: module.displayName },
    fields: form.fields.map((field): FormField => {
      const error = fault?.fields?.[field.name]
      return {
        name: field.name,
        label: field.label,
        type: field.type,
        value: field.type === 'password' ? '' : (typed[field.name] ?? ''),
        required: field.required,
        advanced: field.advanced && !fault?.showAdvanced,
        ...(field.hint === undefined ? {} : { hint: field.hint }),
        ...(error === undefined ? {} : { error }),
      }
    }),
    ...(fault ? { error: fault.error } : {}),
    canGoBack: !isDirect(request),
  }
}
