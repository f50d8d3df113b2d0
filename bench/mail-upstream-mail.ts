// The mail that the upstream of the benches has.

/** In how many pieces an attachment comes, 25 MB in all; a piece is whole groups of three bytes. */
export const PIECES = 512
export const ATTACHMENT_BYTES = PIECES * 51_201
const WORDS = 'quarterly figures attached please review before the meeting on Thursday thanks regards'.split(
  ' ',
)

/** A page of Graph's, one message in five with letters beyond ASCII: 93 KB for 50 messages. */
export function graphPage(base: string, size: number): object {
  return {
    '@odata.context': "https://graph.microsoft.com/v1.0/$metadata#users('me')/messages",
    value: Array.from({ length: size }, (_, n) => graphMessage(n)),
    '@odata.nextLink': `${base}/v1.0/me/messages?%24top=${size}&%24skip=${size}`,
  }
}

function graphMessage(n: number): object {
  const at = new Date(Date.UTC(2026, 10, 24, 12) - n * 3_600_000).toISOString().replace('.000', '')
  const person = (k: number) => ({
    emailAddress: {
      name: k % 5 === 0 ? `Jürgen Müller ${k}` : `Sender Number ${k}`,
      address: `sender${k}@example.com`,
    },
  })
  const id = `AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0A${String(n).padStart(4, '0')}${'AbCdEfGh'.repeat(9)}AAA=`
  const text = wordsOf(n, 255)
  return {
    '@odata.etag': `W/"CQAAABYAAAB${n}aaaaaaaaaaaaaaaaaaaaaa"`,
    id,
    receivedDateTime: at,
    sentDateTime: at,
    hasAttachments: false,
    subject:
      n % 5 === 0 ? `Ergebnisse für das Quartal ${n} — Überblick` : `Figures of the quarter, number ${n}`,
    bodyPreview: text,
    parentFolderId: `AQMkADAwATM0MDAAMS0yMDllAC0zMDAAAi4AAAMX${'b'.repeat(60)}AAAA`,
    conversationId: `AAQkADAwATM0MDAAMS0yMDllAC0zMDAAAi0wMAoAEAB${n}${'c'.repeat(40)}`,
    isRead: n % 3 === 0,
    isDraft: false,
    body: { contentType: 'html', content: `<html><body><p>${wordsOf(n + 1, 265)}</p></body></html>` },
    sender: person(n),
    from: person(n),
    toRecipients: [person(n + 1)],
    ccRecipients: n % 4 === 0 ? [person(n + 2)] : [],
    bccRecipients: [],
    replyTo: [],
    flag: { flagStatus: n % 7 === 0 ? 'flagged' : 'notFlagged' },
    'attachments@odata.context': `https://graph.microsoft.com/v1.0/$metadata#users('me')/messages('${id}')/attachments(id,name,contentType,size,isInline)`,
    attachments: [],
  }
}

/** A message as `messages.get` gives it in full. */
export function gmailMessage(id: string, withFile: boolean): object {
  const n = Number.parseInt(id, 16) % 1000
  const header = (name: string, value: string) => ({ name, value })
  const body = Buffer.from(`<p>${wordsOf(n, 500)}</p>`)
  const text = {
    partId: '0',
    mimeType: 'text/html',
    filename: '',
    headers: [header('Content-Type', 'text/html; charset=UTF-8')],
    body: { size: body.length, data: body.toString('base64url') },
  }
  const file = {
    partId: '1',
    mimeType: 'application/octet-stream',
    filename: 'file.bin',
    headers: [header('Content-Disposition', 'attachment; filename="file.bin"')],
    body: { size: ATTACHMENT_BYTES, attachmentId: 'ANGjdJ8' },
  }
  return {
    id,
    threadId: id,
    labelIds: ['INBOX', 'UNREAD'],
    snippet: wordsOf(n, 120),
    internalDate: String(1_795_000_000_000 - n * 60_000),
    payload: {
      partId: '',
      mimeType: 'multipart/mixed',
      filename: '',
      headers: [
        header(
          'From',
          n % 5 === 0 ? `Jürgen Müller <sender${n}@example.com>` : `Sender ${n} <sender${n}@example.com>`,
        ),
        header('To', 'user@example.com'),
        header('Subject', `Figures of the quarter, number ${n}`),
        header('Date', 'Tue, 24 Nov 2026 12:00:00 +0000'),
        header('Message-ID', `<m${id}@example.com>`),
      ],
      body: { size: 0 },
      parts: withFile ? [text, file] : [text],
    },
  }
}

function wordsOf(seed: number, length: number): string {
  let text = seed % 5 === 0 ? 'Grüße aus Köln' : 'Hello'
  for (let k = seed; text.length < length; k += 7) text += ` ${WORDS[k % WORDS.length] ?? ''}`
  return text.slice(0, length)
}
