# Sends a message from a grant's mailbox, keeps a draft there, and sends that too.
require 'nylas'

nylas = Nylas::Client.new(
  api_key: ENV.fetch('NYLAS_API_KEY'),
  api_uri: ENV.fetch('NYLAS_API_URI')
)
grant = ENV.fetch('GRANT_ID')
to = [{ email: ENV.fetch('RECIPIENT') }]

message, = nylas.messages.send(
  identifier: grant,
  request_body: { to: to, subject: 'Hello', body: '<p>Sent by Grantway.</p>' }
)
puts "message #{message[:id]}"

draft, = nylas.drafts.create(
  identifier: grant,
  request_body: { to: to, subject: 'A draft', body: '<p>Kept at the provider.</p>' }
)
puts "draft #{draft[:id]}"

sent, = nylas.drafts.send(identifier: grant, draft_id: draft[:id])
puts "sent #{sent[:id]}"
