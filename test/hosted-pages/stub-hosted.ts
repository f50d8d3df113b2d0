import { randomIds } from '../../src/kit/ids.ts'
import type {
  Branding,
  FormField,
  HostedService,
  HostedStep,
  SessionHandle,
} from '../../src/core/ports/oauth-services.ts'

export const PLAIN: Branding = {
  name: 'Acme Mail',
  title: '',
  subtitle: '',
  iconUrl: null,
  alignment: 'center',
  colorPrimary: null,
  colorSecondary: null,
  backgroundColor: null,
  backgroundImageUrl: null,
  spacing: 5,
  termsOfServiceUrl: null,
  privacyPolicyUrl: null,
}

export const CHOOSE: Extract<HostedStep, { kind: 'choose' }> = {
  kind: 'choose',
  panels: ['providers', 'detect'],
  providers: [
    { provider: 'google', displayName: 'Google' },
    { provider: 'microsoft', displayName: 'Microsoft' },
    { provider: 'yahoo', displayName: 'Yahoo' },
    { provider: 'icloud', displayName: 'iCloud' },
    { provider: 'imap', displayName: 'IMAP' },
  ],
  loginHint: 'ada@example.com',
}

const field = (name: string, label: string, more: Partial<FormField> = {}): FormField => ({
  name,
  label,
  type: 'text',
  value: '',
  required: false,
  advanced: true,
  ...more,
})

export const IMAP_FORM: Extract<HostedStep, { kind: 'form' }> = {
  kind: 'form',
  provider: { provider: 'imap', displayName: 'IMAP' },
  canGoBack: true,
  fields: [
    field('imap_username', 'Email address', {
      type: 'email',
      required: true,
      advanced: false,
      value: 'ada@example.com',
    }),
    field('imap_password', 'Password', {
      type: 'password',
      required: true,
      advanced: false,
      hint: 'Some services want an app password here.',
    }),
    field('imap_host', 'IMAP server', { hint: 'Left blank, it is found by your address.' }),
    field('imap_port', 'IMAP port', { type: 'number' }),
    field('smtp_password', 'SMTP password', { type: 'password' }),
  ],
}

export const OVER: HostedStep = {
  kind: 'stop',
  status: 400,
  type: 'grant.login_id_invalid',
  message: 'This sign-in has expired, is finished, or was started in another browser.',
}

/** One call that the service was asked, by method. */
export interface Asked {
  readonly method: keyof HostedService
  readonly with: readonly unknown[]
}

/** A service whose answers a test sets; what it was asked is kept. Sessions are of the browser that started them. */
export function stubHosted(): {
  readonly service: HostedService
  readonly asked: Asked[]
  step: HostedStep
  branding: Branding | null
  /** runs before each answer */
  before: () => Promise<void>
} {
  const asked: Asked[] = []
  const owners = new Map<string, string>()
  const answer = async (method: keyof HostedService, ...given: readonly unknown[]) => {
    asked.push({ method, with: given })
    await stub.before()
    return { step: stub.step, branding: stub.branding }
  }
  const inSession = (method: keyof HostedService, session: SessionHandle, ...given: readonly unknown[]) =>
    owners.get(session.id) === session.browserSecret
      ? answer(method, ...given)
      : Promise.resolve({ step: OVER, branding: null })
  const service: HostedService = {
    async start(query, client) {
      const shown = await answer('start', query, client)
      if (shown.step.kind === 'stop') return { ...shown, session: null }
      const session = { id: randomIds.uuid(), browserSecret: client.browserSecret ?? randomIds.token(32) }
      owners.set(session.id, session.browserSecret)
      return { ...shown, session }
    },
    show: (session) => inSession('show', session),
    choose: (session, provider) => inSession('choose', session, provider),
    detect: (session, email) => inSession('detect', session, email),
    submit: (session, fields, client) => inSession('submit', session, fields, client),
    cancel: (session) => inSession('cancel', session),
    callback: (query, browserSecret, client) => answer('callback', query, browserSecret, client),
  }
  const stub = {
    service,
    asked,
    step: CHOOSE as HostedStep,
    branding: PLAIN as Branding | null,
    before: () => Promise.resolve(),
  }
  return stub
}
