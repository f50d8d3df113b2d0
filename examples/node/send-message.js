// Sends a message from a grant's mailbox, keeps a draft there, and sends that too.
import Nylas from 'nylas'

const nylas = new Nylas({
  apiKey: process.env.NYLAS_API_KEY,
  apiUri: process.env.NYLAS_API_URI,
})
const identifier = process.env.GRANT_ID
const to = [{ email: process.env.RECIPIENT }]

const { data: message } = await nylas.messages.send({
  identifier,
  requestBody: { to, subject: 'Hello', body: '<p>Sent by Grantway.</p>' },
})
console.log('message', message.id)

const { data: draft } = await nylas.drafts.create({
  identifier,
  requestBody: { to, subject: 'A draft', body: '<p>Kept at the provider.</p>' },
})
console.log('draft', draft.id)

const { data: sent } = await nylas.drafts.send({ identifier, draftId: draft.id })
console.log('sent', sent.id)
