/** What a stop page says: the heading, and what the user can do. */
export interface StopText {
  readonly heading: string
  readonly advice: string
}

const SETUP: StopText = {
  heading: 'This link does not work',
  advice:
    'You cannot mend this yourself. Please tell the people who run the app that sent you here what it says above.',
}

/** Every word of the pages that is ours, in one place, so that it can be translated. */
export const TEXTS = {
  language: 'en',
  requestReference: 'Reference for support:',
  errorInTitle: (title: string) => `Error: ${title}`,
  legal: 'Legal',
  termsOfService: 'Terms of service',
  privacyPolicy: 'Privacy policy',
  thisApp: 'the app',
  iconOf: (name: string) => `${name} logo`,

  choose: {
    heading: 'Connect your email account',
    subtitle: (name: string) => `${name} would like to connect to your mailbox.`,
    providers: 'Choose your email provider',
    continueWith: (provider: string) => `Continue with ${provider}`,
    /** What a provider is called here where its own name tells most people nothing. */
    names: { imap: 'another provider (IMAP)' } as { readonly [provider: string]: string },
    or: 'or',
    address: 'Email address',
    addressHint: 'We use it to find your provider.',
    detect: 'Continue',
    nothing:
      'There is no provider to choose from. Please tell the people who run the app that sent you here.',
  },
  form: {
    heading: (provider: string) => `Connect ${provider}`,
    mailboxHeading: 'Connect your mailbox',
    subtitle: (name: string) =>
      `${name} will use this to read and send your mail. Your password is stored encrypted.`,
    advanced: 'Server settings',
    advancedHint: 'Seldom needed: most servers are found by your address.',
    optional: 'optional',
    submit: 'Connect',
    wait: 'Signing in can take up to a minute.',
    back: 'Choose another provider',
    fieldError: 'Error:',
  },
  cancel: (name: string) => `Cancel and return to ${name}`,
  leave: {
    heading: 'One moment',
    advice: 'You are being taken to the next page.',
    link: 'Continue',
  },
  stop: {
    startAgain: 'Back to the sign-in page',
    byType: {
      'grant.login_id_invalid': {
        heading: 'This sign-in is over',
        advice:
          'Go back to the app and start again. If this happens right away, allow cookies for this site and use one browser all the way.',
      },
      'grant.callback_uri_not_allowed': SETUP,
      'connector.not_found': SETUP,
      'api.invalid_request_error': SETUP,
      'api.invalid_request_payload': SETUP,
      'api.resource_blocked': SETUP,
      'api.not_found_error': SETUP,
      'api.rate_limit_error': {
        heading: 'Too many attempts',
        advice: 'Wait a few minutes, then go back to the app and start again.',
      },
      'grant.reauth_email_invalid': {
        heading: 'That was another account',
        advice:
          'Go back to the app, start again, and sign in with the account that is to be connected again.',
      },
    } as { readonly [type: string]: StopText },
    otherwise: {
      heading: 'Something went wrong',
      advice:
        'Go back to the app and start again in a minute. If it stays like this, tell the people who run the app.',
    } satisfies StopText,
    /** The form did not come from a page of ours, or from one that is too old. */
    forged: {
      heading: 'Please send the form again',
      message: 'This form could not be checked, so nothing was done.',
      advice: 'Go back to the sign-in page and send it from there. Cookies must be allowed for this site.',
    },
  },
  /** Pages of providers that help with their forms, by provider. */
  help: {
    // support.apple.com/102654, "How to use app-specific passwords" (checked 2026-11)
    icloud: {
      url: 'https://support.apple.com/102654',
      text: 'How to make an app-specific password (Apple’s page)',
    },
  } as { readonly [provider: string]: { readonly url: string; readonly text: string } },
  faults: {
    parameterTooLong: (name: string) => `The parameter ${name} is too long.`,
    tooManyParameters: 'There are too many parameters.',
    notForMachines: 'This is a page for people: open it in a browser.',
    bodyNotForm: 'This page takes forms only.',
  },
} as const
