"""Mail calls of the official Python SDK, unmodified. Fails where an answer is not what it must be; prints each call."""

import os

from nylas import Client
from nylas.models.errors import NylasApiError

nylas = Client(api_key=os.environ["NYLAS_API_KEY"], api_uri=os.environ["NYLAS_API_URI"])
GRANT = os.environ["GRANT_ID"]
NESTED = os.environ.get("NESTED_FOLDER")
MESSAGE_ID = os.environ.get("MESSAGE_ID")
BEN = [{"name": "Ben Itō", "email": "ben@globex.example"}]


def say(name, *values):
    print(name, *values, flush=True)


def check(name, truth):
    if not truth:
        raise AssertionError(name)
    say(name)


def download(message_id, attachment_id):
    return nylas.attachments.download_bytes(GRANT, attachment_id, {"message_id": message_id})


messages = nylas.messages.list(GRANT, {"limit": 5}).data
check("messages_list", len(messages) == 5)
unread = nylas.messages.list(GRANT, {"unread": True, "limit": 3}).data
check("messages_unread", all(message.unread for message in unread))
people = [messages[0].from_[0]["email"], messages[1].from_[0]["email"]]
check("messages_any_email", len(nylas.messages.list(GRANT, {"any_email": people, "limit": 5}).data) > 0)
check("messages_find", nylas.messages.find(GRANT, messages[0].id).data.id == messages[0].id)

small = b"small \xff\x00 file"
sent = nylas.messages.send(
    GRANT,
    {
        "to": BEN,
        "subject": "Grüße ✉",
        "body": "<p>Hi</p>",
        "attachments": [{"filename": "a.bin", "content_type": "application/octet-stream",
                         "content": "c21hbGwg/wAgZmlsZQ==", "size": len(small)}],
    },
).data
found = nylas.messages.find(GRANT, sent.id).data
check("messages_send", found.subject == "Grüße ✉")
# The SDK puts attachment ids into addresses as they are.
attachment = found.attachments[0]
check("attachments_find", nylas.attachments.find(GRANT, attachment.id, {"message_id": sent.id}).data.filename == "a.bin")
check("attachments_download", download(sent.id, attachment.id) == small)

large = os.urandom(3 * 1024 * 1024)
sent = nylas.messages.send(
    GRANT,
    {
        "to": BEN,
        "subject": "multipart",
        "body": "<p>Hi</p>",
        "attachments": [{"filename": "große Datei.bin", "content_type": "application/octet-stream",
                         "content": large, "size": len(large)}],
    },
).data
attachment = nylas.messages.find(GRANT, sent.id).data.attachments[0]
check("messages_send_multipart", attachment.filename == "große Datei.bin" and download(sent.id, attachment.id) == large)

changed = nylas.messages.update(GRANT, sent.id, {"starred": True, "metadata": {"key1": "python"}}).data
check("messages_update", changed.starred and changed.metadata == {"key1": "python"})
check("messages_clean", "Hi" in nylas.messages.clean_messages(GRANT, {"message_id": [sent.id]}).data[0].conversation)
check("messages_destroy", nylas.messages.destroy(GRANT, sent.id).request_id != "")

draft = nylas.drafts.create(GRANT, {"to": BEN, "subject": "Draft", "body": "<p>x</p>"}).data
check("drafts_find", nylas.drafts.find(GRANT, draft.id).data.id == draft.id)
check("drafts_update", nylas.drafts.update(GRANT, draft.id, {"subject": "Changed"}).data.subject == "Changed")
check("drafts_list", draft.id in [one.id for one in nylas.drafts.list(GRANT, {"limit": 20}).data])
check("drafts_send", nylas.drafts.send(GRANT, draft.id).data.subject == "Changed")
draft = nylas.drafts.create(GRANT, {"to": BEN, "subject": "Away", "body": "x"}).data
check("drafts_destroy", nylas.drafts.destroy(GRANT, draft.id).request_id != "")

threads = nylas.threads.list(GRANT, {"limit": 5}).data
thread = nylas.threads.find(GRANT, threads[0].id).data
check("threads_find", len(thread.message_ids) > 0)
check("threads_update", nylas.threads.update(GRANT, thread.id, {"unread": True}).data.unread)

name = os.environ["FOLDER_NAME"]
folder = nylas.folders.create(GRANT, {"name": name}).data
check("folders_find", nylas.folders.find(GRANT, folder.id).data.name == name)
check("folders_list", folder.id in [one.id for one in nylas.folders.list(GRANT, {"limit": 200}).data])
folder = nylas.folders.update(GRANT, folder.id, {"name": f"{name} renamed"}).data
check("folders_destroy", nylas.folders.destroy(GRANT, folder.id).request_id != "")
if NESTED:
    # The SDK does not encode the slash.
    check("folders_raw_path", nylas.folders.find(GRANT, NESTED).data.name == NESTED)
if MESSAGE_ID:
    check("messages_hard_id", nylas.messages.find(GRANT, MESSAGE_ID).data.id == MESSAGE_ID)

later = int(os.environ["SEND_AT"])
schedule = nylas.messages.send(GRANT, {"to": BEN, "subject": "Later", "body": "x", "send_at": later}).data.schedule_id
check("schedules_list", schedule in [one.schedule_id for one in nylas.messages.list_scheduled_messages(GRANT).data])
check("schedules_find", nylas.messages.find_scheduled_message(GRANT, schedule).data.status.code == "pending")
check("schedules_stop", nylas.messages.stop_scheduled_message(GRANT, schedule).data.message != "")

try:
    nylas.messages.find(GRANT, "0000000000000000")
    raise AssertionError("found what is not there")
except NylasApiError as error:
    check("error", error.status_code in (400, 404) and error.type != "unknown" and error.request_id != "")
