import type { CredentialField, CredentialForm } from '../../core/ports/authorization.ts'

const field = (
  name: string,
  label: string,
  type: CredentialField['type'],
  more: Partial<CredentialField> = {},
): CredentialField => ({ name, label, type, required: false, advanced: true, ...more })

const FOUND = 'Left blank, it is found by your address.'

/** What a user types to connect a mailbox of any IMAP server. */
export const imapForm: CredentialForm = {
  fields: [
    field('imap_username', 'Email address', 'email', { required: true, advanced: false }),
    field('imap_password', 'Password', 'password', {
      required: true,
      advanced: false,
      hint: 'Some services want an app password here, made in the settings of your account.',
    }),
    field('imap_host', 'IMAP server', 'text', { hint: FOUND }),
    field('imap_port', 'IMAP port', 'number', { hint: '993 where nothing else is known.' }),
    field('smtp_host', 'SMTP server', 'text', { hint: FOUND }),
    field('smtp_port', 'SMTP port', 'number', { hint: 'Usually 465 or 587.' }),
    field('smtp_username', 'SMTP user name', 'text', { hint: 'Only where it is not your email address.' }),
    field('smtp_password', 'SMTP password', 'password', { hint: 'Only where it is another one.' }),
  ],
  addressField: 'imap_username',
  hostField: 'imap_host',
  withSending: (settings) => ({ smtp_username: settings['imap_username'], ...settings }),
}
