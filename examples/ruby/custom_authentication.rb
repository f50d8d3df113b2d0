# Gets an access token of the grant that has a refresh token you hold.
require 'nylas'

nylas = Nylas::Client.new(
  api_key: ENV.fetch('NYLAS_API_KEY'),
  api_uri: ENV.fetch('NYLAS_API_URI')
)

response = nylas.auth.refresh_access_token(
  # Sent by the SDK, and not looked at when a token is refreshed.
  redirect_uri: 'http://localhost',
  refresh_token: ENV.fetch('REFRESH_TOKEN'),
  client_id: ENV.fetch('NYLAS_CLIENT_ID')
)

puts "grant #{response[:grant_id]}"
puts "access token #{response[:access_token]}"
puts "seconds #{response[:expires_in]}"
