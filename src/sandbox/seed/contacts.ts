const NAMES = ['Zoë Ångström', 'Chen Wei', 'Olga Петрова', 'Sam Lee', 'Fatima الزهراء']

/** A handful of people as people.connections gives them. */
export function seedContacts(): readonly object[] {
  return NAMES.map((displayName, index) => ({
    resourceName: `people/c100000000000000000${index}`,
    etag: `%EgUBAgMu${index}`,
    names: [{ displayName, metadata: { primary: true } }],
    emailAddresses: [{ value: `contact${index}@partner.example`, type: 'work' }],
    ...(index === 1 ? { phoneNumbers: [{ value: '+49 30 1234567', type: 'mobile' }] } : {}),
  }))
}
