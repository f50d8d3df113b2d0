"""Sends a message from a grant's mailbox, keeps a draft there, and sends that too."""

import os

from nylas import Client

nylas = Client(
    api_key=os.environ["NYLAS_API_KEY"],
    api_uri=os.environ["NYLAS_API_URI"],
)
grant = os.environ["GRANT_ID"]
to = [{"email": os.environ["RECIPIENT"]}]

message = nylas.messages.send(grant, {"to": to, "subject": "Hello", "body": "<p>Sent by Grantway.</p>"})
print("message", message.data.id)

draft = nylas.drafts.create(grant, {"to": to, "subject": "A draft", "body": "<p>Kept at the provider.</p>"})
print("draft", draft.data.id)

sent = nylas.drafts.send(grant, draft.data.id)
print("sent", sent.data.id)
