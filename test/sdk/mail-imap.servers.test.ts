// Every mail method of the Node SDK against the server as users run it, with Dovecot and Postfix for real.
import { mailSuite } from './mail-suite.ts'
import { startImapMail } from './mail-suite-worlds.ts'

mailSuite({
  name: 'imap',
  schedulesDrafts: false,
  takesLargeUploads: false,
  hasLabels: false,
  hasParents: false,
  start: startImapMail,
})
