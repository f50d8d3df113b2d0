// Every mail method of the Node SDK against the whole server and the sandbox, whose Gmail is judged by Google's own
// API description.
// Needs no server outside, but too many seconds for the fast tests.
import { mailSuite } from './mail-suite.ts'
import { startGoogleMail } from './mail-suite-worlds.ts'

mailSuite({
  name: 'google',
  schedulesDrafts: true,
  takesLargeUploads: false,
  hasLabels: true,
  hasParents: false,
  start: startGoogleMail,
})
