import type { SeedLabel } from '../types.ts'

const SYSTEM = [
  'CHAT',
  'SENT',
  'INBOX',
  'IMPORTANT',
  'TRASH',
  'DRAFT',
  'SPAM',
  'CATEGORY_FORUMS',
  'CATEGORY_UPDATES',
  'CATEGORY_PERSONAL',
  'CATEGORY_PROMOTIONS',
  'CATEGORY_SOCIAL',
  'STARRED',
  'UNREAD',
]

/** Gmail's own labels and three of the user's. */
export function seedLabels(): readonly SeedLabel[] {
  return [
    ...SYSTEM.map((id): SeedLabel => ({ id, name: id, type: 'system' })),
    { id: 'Label_1', name: 'Projects', type: 'user' },
    {
      id: 'Label_2',
      name: 'Projects/Größe & Maß',
      type: 'user',
      color: { textColor: '#ffffff', backgroundColor: '#16a765' },
    },
    { id: 'Label_3', name: 'Réceipts', type: 'user' },
  ]
}
