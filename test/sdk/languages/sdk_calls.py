"""Calls of the official Python SDK, unmodified. Prints a line for each; the test looks at them.

A line of standard input answers `pkce_url` with a code for its challenge.
"""

import os

from nylas import Client
from nylas.models.errors import NylasOAuthError

API_KEY = os.environ["NYLAS_API_KEY"]
CLIENT_ID = os.environ["NYLAS_CLIENT_ID"]
REDIRECT_URI = os.environ["REDIRECT_URI"]

nylas = Client(api_key=API_KEY, api_uri=os.environ["NYLAS_API_URI"])
auth = nylas.auth


def say(name, *values):
    print(name, *values, flush=True)


def client(**more):
    return {"client_id": CLIENT_ID, "redirect_uri": REDIRECT_URI, **more}


def refusal(name, call):
    try:
        call()
        say(name, "no error")
    except NylasOAuthError as error:
        say(name, error.error, error.status_code, error.error_code)


grant = auth.custom_authentication(
    {"provider": "google", "settings": {"refresh_token": os.environ["REFRESH_TOKEN"]}}
).data
say("custom_authentication", grant.id, grant.provider, grant.email, grant.grant_status)

by_provider_token = auth.refresh_access_token(client(refresh_token=os.environ["REFRESH_TOKEN"]))
say("refresh_provider_token", by_provider_token.grant_id, by_provider_token.expires_in)

first = auth.exchange_code_for_token(client(code=os.environ["CODE"]))
say("exchange", first.grant_id, first.expires_in, first.email, first.token_type, first.provider)

pkce = auth.url_for_oauth2_pkce(client(provider="google", access_type="offline", scope=["openid", "email"]))
say("pkce_url", pkce.url)
by_pkce = auth.exchange_code_for_token(client(code=input(), code_verifier=pkce.secret))
say("pkce_exchange", by_pkce.grant_id)

second = auth.refresh_access_token(client(refresh_token=first.refresh_token))
say("refresh", second.grant_id, second.expires_in, second.refresh_token == first.refresh_token)

info = auth.id_token_info(second.id_token).data
say("id_token_info", info.iss, info.aud, info.sub, info.email, info.exp - info.iat)
info = auth.validate_access_token(second.access_token).data
say("access_token_info", info.iss, info.aud, info.sub, info.email, info.exp - info.iat)
say("me", nylas.grants.find("me", overrides={"api_key": second.access_token}).data.id)

say("revoke", auth.revoke(second.access_token))
refusal("revoke_again", lambda: auth.revoke(second.access_token))
refusal("refresh_revoked", lambda: auth.refresh_access_token(client(refresh_token=first.refresh_token)))
refusal("exchange_used", lambda: auth.exchange_code_for_token(client(code=os.environ["CODE"])))

detected = auth.detect_provider({"email": "someone@gmail.com", "all_provider_types": True}).data
say("detect", detected.email_address, detected.detected, detected.provider)

grants = nylas.grants.list({"limit": 5, "email": grant.email}).data
say("grants_list", *[item.id for item in grants])
say("grants_find", nylas.grants.find(grant.id).data.email)

say("oauth2_url", auth.url_for_oauth2(client(provider="google", state="a b", include_grant_scopes=True)))
say("admin_url", auth.url_for_admin_consent(client(credential_id=os.environ["CREDENTIAL_ID"])))

webhooks = nylas.webhooks
made = webhooks.create(
    {"trigger_types": ["grant.created", "grant.expired"], "webhook_url": os.environ["WEBHOOK_URL"]}
).data
say("webhook_create", made.id, made.status, len(made.webhook_secret), *[item.value for item in made.trigger_types])
say("webhook_list", *[item.id for item in webhooks.list().data])
say("webhook_find", webhooks.find(made.id).data.webhook_url)
say("webhook_update", webhooks.update(made.id, {"description": "changed"}).data.description)
rotated = webhooks.rotate_secret(made.id).data
say("webhook_rotate", rotated.id, rotated.webhook_secret != made.webhook_secret)
say("webhook_destroy", webhooks.destroy(made.id).request_id != "", len(webhooks.list().data))
