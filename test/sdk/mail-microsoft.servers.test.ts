// Every mail method of the Node SDK against the whole server and the fake Graph.
// Needs no server outside, but too many seconds for the fast tests.
import { mailSuite } from './mail-suite.ts'
import { startMicrosoftMail } from './mail-suite-worlds.ts'

mailSuite({
  name: 'microsoft',
  schedulesDrafts: true,
  takesLargeUploads: true,
  hasLabels: false,
  hasParents: true,
  start: startMicrosoftMail,
})
