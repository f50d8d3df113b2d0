import type { SeedUser } from '../types.ts'
import { seedCalendars } from './calendars.ts'
import { seedContacts } from './contacts.ts'
import { seedLabels } from './labels.ts'
import { seedMailbox } from './mailbox.ts'

/** The built-in users: two private accounts and one of a Workspace. The same data at each start. */
export function seedUsers(): readonly SeedUser[] {
  return [
    user('ada@sandbox.example', '110000000000000000001', 'Ada Moreau', ['ada.moreau@sandbox.example'], 60),
    user('ben@sandbox.example', '110000000000000000002', 'Ben Itō', [], 12),
    user(
      'kim@workspace.sandbox.example',
      '110000000000000000003',
      'Kim Nováková',
      ['sales@workspace.sandbox.example'],
      8,
    ),
  ]
}

function user(
  email: string,
  sub: string,
  name: string,
  aliases: readonly string[],
  messages: number,
): SeedUser {
  return {
    email,
    sub,
    name,
    aliases,
    labels: seedLabels(),
    messages: seedMailbox(email, name, Number(sub.slice(-2)), messages),
    calendars: seedCalendars(email),
    contacts: seedContacts(),
  }
}
