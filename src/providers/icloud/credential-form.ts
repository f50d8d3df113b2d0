import type { CredentialForm } from '../../core/ports/authorization.ts'

/** What a user types to connect an iCloud mailbox. Apple takes no other password here (support.apple.com/102654, checked 2026-11). */
export const icloudForm: CredentialForm = {
  fields: [
    { name: 'username', label: 'iCloud email address', type: 'email', required: true, advanced: false },
    {
      name: 'password',
      label: 'App-specific password',
      type: 'password',
      required: true,
      advanced: false,
      hint: 'Not the password of your Apple Account: make one at account.apple.com, under Sign-In and Security.',
    },
  ],
  addressField: 'username',
}
