import { createHash } from 'node:crypto'

export interface FakeAddress {
  readonly emailAddress: { readonly name?: string; readonly address: string }
}

export interface FakeAttachment {
  readonly '@odata.type': string
  readonly id: string
  readonly name: string
  readonly contentType: string | null
  readonly size: number
  readonly isInline: boolean
  readonly contentId?: string | null
  /** what `$value` gives; absent: made-up bytes of `size` */
  readonly content?: Buffer
}

/** A message as Graph keeps it. All but the id may be missing, as in life. */
export interface FakeMessage {
  readonly id: string
  readonly parentFolderId: string
  readonly conversationId?: string
  readonly subject?: string | null
  readonly from?: FakeAddress
  readonly sender?: FakeAddress
  readonly toRecipients?: readonly FakeAddress[]
  readonly ccRecipients?: readonly FakeAddress[]
  readonly bccRecipients?: readonly FakeAddress[]
  readonly replyTo?: readonly FakeAddress[]
  readonly receivedDateTime?: string
  readonly sentDateTime?: string
  readonly isDraft?: boolean
  readonly isRead?: boolean
  readonly flag?: { readonly flagStatus: string }
  readonly hasAttachments?: boolean
  readonly bodyPreview?: string
  readonly body?: { readonly contentType: string; readonly content: string }
  readonly internetMessageHeaders?: readonly { readonly name: string; readonly value: string }[]
  readonly attachments: readonly FakeAttachment[]
  readonly internetMessageId?: string
  readonly conversationIndex?: string
  /** the source it was made of, where it was made of one */
  readonly source?: Buffer
}

export interface FakeFolder {
  readonly id: string
  readonly displayName: string
  readonly parentFolderId: string
  readonly wellKnown?: string
  readonly isHidden?: boolean
}

export interface FakeMailbox {
  readonly user: {
    readonly id: string
    readonly mail: string | null
    readonly userPrincipalName: string
    readonly displayName: string
    readonly otherMails: readonly string[]
    readonly proxyAddresses: readonly string[]
  }
  readonly folders: FakeFolder[]
  readonly messages: FakeMessage[]
}

const ROOT = 'AAMkRoot-0000='
/** Names as a German mailbox has them: only the well-known names tell what they are. */
const FOLDERS: readonly FakeFolder[] = [
  { id: 'AAMkFolder-in-01=', displayName: 'Posteingang', parentFolderId: ROOT, wellKnown: 'inbox' },
  {
    id: 'AAMkFolder-out-02=',
    displayName: 'Gesendete Elemente',
    parentFolderId: ROOT,
    wellKnown: 'sentitems',
  },
  { id: 'AAMkFolder-dra-03=', displayName: 'Entwürfe', parentFolderId: ROOT, wellKnown: 'drafts' },
  {
    id: 'AAMkFolder-del-04=',
    displayName: 'Gelöschte Elemente',
    parentFolderId: ROOT,
    wellKnown: 'deleteditems',
  },
  { id: 'AAMkFolder-jnk-05=', displayName: 'Junk-E-Mail', parentFolderId: ROOT, wellKnown: 'junkemail' },
  { id: 'AAMkFolder-prj-06=', displayName: 'Projekte', parentFolderId: ROOT },
  { id: 'AAMkFolder-p26-07=', displayName: '2026', parentFolderId: 'AAMkFolder-prj-06=' },
  { id: 'AAMkFolder-q1-08=', displayName: 'Q1 – Übersicht', parentFolderId: 'AAMkFolder-p26-07=' },
  { id: 'AAMkFolder-sub-09=', displayName: 'Rechnungen', parentFolderId: 'AAMkFolder-in-01=' },
  { id: 'AAMkFolder-hid-10=', displayName: 'Verborgen', parentFolderId: ROOT, isHidden: true },
]

const person = (name: string, address: string): FakeAddress => ({ emailAddress: { name, address } })
const ADA = person('Ada Moreau', 'ada@contoso.example')
const PEOPLE = [
  person('Ben Ito', 'ben@globex.example'),
  person('Zoë Müller', 'zoe@partner.example'),
  person('Принтер', 'printer@contoso.example'),
  person("Pat O'Neil", "pat.o'neil@partner.example"),
]
const CAROL = person('Carol', 'carol@globex.example')
const TEAM = person('Team', 'team@contoso.example')

/** 2026-01-15T08:00:00Z; message N came N hours before. */
export const NEWEST_SECONDS = 1_768_464_000
export const MESSAGE_COUNT = 72

export function seedMailbox(
  address: string,
  options: { readonly count?: number; readonly tag?: string } = {},
): FakeMailbox {
  const { count = MESSAGE_COUNT, tag = '' } = options
  return {
    user: {
      id: `11111111-2222-3333-4444-${Buffer.from(address).toString('hex').slice(0, 12).padEnd(12, '0')}`,
      mail: address,
      userPrincipalName: address,
      displayName: address.split('@')[0] ?? '',
      otherMails: [],
      proxyAddresses: [`SMTP:${address}`, `smtp:alias.${address}`, 'X500:/o=Contoso/cn=x'],
    },
    folders: FOLDERS.map((folder) => ({ ...folder })),
    messages: Array.from({ length: count }, (_, at) => seedMessage(at, tag)),
  }
}

function folderOf(at: number): string {
  if (at === 10 || at === 11) return 'AAMkFolder-dra-03='
  if (at === 12) return 'AAMkFolder-del-04='
  if (at % 8 === 7) return 'AAMkFolder-out-02='
  return at % 16 === 5 ? 'AAMkFolder-q1-08=' : 'AAMkFolder-in-01='
}

function subjectOf(at: number): string {
  if (at === 3) return 'Déjà vu: 予定を確認'
  if (at === 6) return `The owner's "quote" \\ 100 %`
  return `${at % 3 === 0 ? 'Report' : 'Invoice'} ${at}`
}

function attachmentsOf(at: number): FakeAttachment[] {
  const make = (kind: string, more: Partial<FakeAttachment>): FakeAttachment => ({
    '@odata.type': `#microsoft.graph.${kind}`,
    id: `AAMkAtt-${kind}-${at}=`,
    name: 'Übersicht.pdf',
    contentType: 'application/pdf',
    size: 2048 + at,
    isInline: false,
    ...(kind === 'fileAttachment' ? { contentId: null } : {}),
    ...more,
  })
  if (at === 13)
    return [
      make('fileAttachment', {
        name: 'chart.png',
        contentType: 'image/png',
        isInline: true,
        contentId: 'chart1',
      }),
    ]
  if (at === 14) return [make('itemAttachment', { name: 'Forwarded: hello', contentType: null })]
  if (at === 15) return [make('referenceAttachment', { name: 'shared.docx' }), make('fileAttachment', {})]
  return at % 9 === 0 ? [make('fileAttachment', {})] : []
}

function seedMessage(at: number, tag: string): FakeMessage {
  const id = `AAMkMsg${tag}-${String(at).padStart(4, '0')}=`
  const parentFolderId = folderOf(at)
  const received = (NEWEST_SECONDS - at * 3600) * 1000
  const receivedDateTime = new Date(received).toISOString().replace('.000Z', 'Z')
  if (at === 20) return { id, parentFolderId, receivedDateTime, attachments: [] }
  const sender = parentFolderId.includes('out') || parentFolderId.includes('dra') ? ADA : PEOPLE[at % 4]!
  const isDraft = parentFolderId.includes('dra')
  const attachments = attachmentsOf(at)
  const message: FakeMessage = {
    id,
    parentFolderId,
    conversationId: `AAQkConv-${tag}${Math.floor(at / 4)}=`,
    conversationIndex: conversationIndexOf(`AAQkConv-${tag}${Math.floor(at / 4)}=`),
    internetMessageId: `<${at}@${sender === ADA ? 'contoso' : 'globex'}.example>`,
    subject: at === 4 ? null : subjectOf(at),
    ...(isDraft ? {} : { from: sender }),
    sender,
    toRecipients: sender === ADA ? [PEOPLE[at % 4]!] : at % 5 === 0 ? [ADA, TEAM] : [ADA],
    ccRecipients: at % 6 === 0 ? [CAROL] : at % 6 === 1 ? [TEAM] : [],
    bccRecipients: sender === ADA && at % 3 === 0 ? [CAROL] : [],
    replyTo: at === 2 ? [TEAM] : [],
    receivedDateTime,
    // Mail is not received in the order it was sent in.
    sentDateTime: new Date(received - (at % 3) * 2 * 3600 * 1000 - 60_000).toISOString(),
    isDraft,
    isRead: at % 2 === 0,
    flag: { flagStatus: at % 7 === 0 ? 'flagged' : at === 1 ? 'complete' : 'notFlagged' },
    hasAttachments: attachments.some(({ isInline }) => !isInline),
    bodyPreview: `Preview ${at} \r\n of a text`,
    body: {
      contentType: at === 8 ? 'Text' : 'html',
      content: `<html><body><p>Grüße ${at} 👋</p></body></html>`,
    },
    ...(sender === ADA
      ? {}
      : {
          internetMessageHeaders: [
            { name: 'Message-ID', value: `<${at}@globex.example>` },
            { name: 'Received', value: 'from a by b' },
            { name: 'Received', value: 'from b by c' },
            { name: 'References', value: `<${at - 1}@globex.example>` },
          ],
        }),
    attachments,
  }
  if (at !== 4) return message
  const { subject: _none, ...withoutSubject } = message
  return withoutSubject
}

/** The first 22 bytes are the conversation's ([MS-OXOMSG] 2.2.1.3). */
export function conversationIndexOf(conversationId: string): string {
  const rest = createHash('sha256').update(conversationId).digest().subarray(0, 21)
  return Buffer.concat([Buffer.from([1]), rest]).toString('base64')
}

/** The source of a message, as `$value` gives it. */
export function sourceOf(message: FakeMessage): Buffer | string {
  if (message.source !== undefined) return message.source
  return [
    `Message-ID: <${message.id}@source.example>`,
    `Subject: =?utf-8?B?${Buffer.from(message.subject ?? '').toString('base64')}?=`,
    `Content-Type: text/${message.body?.contentType.toLowerCase() === 'text' ? 'plain' : 'html'}; charset=utf-8`,
    'X-Folded: one',
    '\ttwo',
    'References: <a@x>',
    ' <b@x>',
    'no header at all',
    '',
    message.body?.content ?? '',
  ].join('\r\n')
}
