import { GRANT_ID, MAIL, type Sample } from './sample.ts'

const CONTACTS = '/google/contacts/incremental'

const folder = { id: 'Label_12', grant_id: GRANT_ID, name: 'Lunch', object: 'folder', system_folder: false }

const contact = {
  id: 'c1830014478',
  grant_id: GRANT_ID,
  object: 'contact',
  given_name: 'Grace',
  surname: 'Hopper',
  company_name: 'Example Navy',
  job_title: 'Rear admiral',
  emails: [{ email: 'grace@example.com', type: 'work' }],
  phone_numbers: [{ number: '+1 555 0100', type: 'work' }],
  groups: [{ id: 'myContacts' }],
  im_addresses: null,
  physical_addresses: null,
  web_pages: null,
  source: 'address_book',
}

/** Folders and contacts (contract/webhooks.md 6); empty lists of a contact may be null. */
export const FOLDER_AND_CONTACT_SAMPLES = {
  'folder.created': { source: MAIL, data: { object: folder } },
  'folder.updated': { source: MAIL, data: { object: { ...folder, name: 'Lunches' } } },
  'folder.deleted': { source: MAIL, data: { object: folder } },
  'contact.updated': { source: CONTACTS, data: { object: contact } },
  'contact.deleted': {
    source: CONTACTS,
    data: { object: { id: contact.id, grant_id: GRANT_ID, object: 'contact' } },
  },
} as const satisfies Record<string, Sample>
