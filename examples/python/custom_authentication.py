"""Gets an access token of the grant that has a refresh token you hold."""

import os

from nylas import Client

nylas = Client(
    api_key=os.environ["NYLAS_API_KEY"],
    api_uri=os.environ["NYLAS_API_URI"],
)

response = nylas.auth.refresh_access_token(
    {
        # Sent by the SDK, and not looked at when a token is refreshed.
        "redirect_uri": "http://localhost",
        "refresh_token": os.environ["REFRESH_TOKEN"],
        "client_id": os.environ["NYLAS_CLIENT_ID"],
    }
)

print("grant", response.grant_id)
print("access token", response.access_token)
print("seconds", response.expires_in)
