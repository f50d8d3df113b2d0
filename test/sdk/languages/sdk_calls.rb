# Calls of the official Ruby SDK, unmodified. Prints a line for each; the test looks at them.
#
# A line of standard input answers `pkce_url` with a code for its challenge.
require 'nylas'

$stdout.sync = true
nylas = Nylas::Client.new(api_key: ENV.fetch('NYLAS_API_KEY'), api_uri: ENV.fetch('NYLAS_API_URI'))
auth = nylas.auth

client = { client_id: ENV.fetch('NYLAS_CLIENT_ID'), redirect_uri: ENV.fetch('REDIRECT_URI') }

def say(name, *values)
  puts [name, *values].join(' ')
end

def refusal(name)
  yield
  say(name, 'no error')
rescue Nylas::NylasOAuthError => e
  say(name, e.error, e.status_code, e.error_code)
end

grant, = auth.custom_authentication(
  provider: 'google', settings: { refresh_token: ENV.fetch('REFRESH_TOKEN') }
)
say('custom_authentication', *grant.values_at(:id, :provider, :email, :grant_status))

by_provider_token = auth.refresh_access_token({ **client, refresh_token: ENV.fetch('REFRESH_TOKEN') })
say('refresh_provider_token', *by_provider_token.values_at(:grant_id, :expires_in))

first = auth.exchange_code_for_token({ **client, code: ENV.fetch('CODE') })
say('exchange', *first.values_at(:grant_id, :expires_in, :email, :token_type, :provider))

pkce = auth.url_for_oauth2_pkce({ **client, provider: 'google', access_type: 'offline', scope: %w[openid email] })
say('pkce_url', pkce[:url])
by_pkce = auth.exchange_code_for_token({ **client, code: $stdin.gets.chomp, code_verifier: pkce[:secret] })
say('pkce_exchange', by_pkce[:grant_id])

second = auth.refresh_access_token({ **client, refresh_token: first[:refresh_token] })
say('refresh', second[:grant_id], second[:expires_in], second[:refresh_token] == first[:refresh_token])

{ id_token: second[:id_token], access_token: second[:access_token] }.each do |name, token|
  info, = auth.access_token_info(query_params: { name => token })
  say("#{name}_info", *info.values_at(:iss, :aud, :sub, :email), info[:exp] - info[:iat])
end

say('revoke', auth.revoke(second[:access_token]))
refusal('revoke_again') { auth.revoke(second[:access_token]) }
refusal('refresh_revoked') { auth.refresh_access_token({ **client, refresh_token: first[:refresh_token] }) }
refusal('exchange_used') { auth.exchange_code_for_token({ **client, code: ENV.fetch('CODE') }) }

detected, = auth.detect_provider(email: 'someone@gmail.com', all_provider_types: true)
say('detect', *detected.values_at(:email_address, :detected, :provider))

grants, = nylas.grants.list(query_params: { limit: 5, email: grant[:email] })
say('grants_list', *grants.map { |item| item[:id] })
found, = nylas.grants.find(grant_id: grant[:id])
say('grants_find', found[:email])

say('oauth2_url', auth.url_for_oauth2({ **client, provider: 'google', state: 'a b' }))
say('admin_url', auth.url_for_admin_consent({ **client, credential_id: ENV.fetch('CREDENTIAL_ID') }))

webhooks = nylas.webhooks
made, = webhooks.create(
  request_body: { trigger_types: %w[grant.created grant.expired], webhook_url: ENV.fetch('WEBHOOK_URL') }
)
say('webhook_create', made[:id], made[:status], made[:webhook_secret].length, *made[:trigger_types])
say('webhook_list', *webhooks.list[0].map { |item| item[:id] })
say('webhook_find', webhooks.find(webhook_id: made[:id])[0][:webhook_url])
changed, = webhooks.update(webhook_id: made[:id], request_body: { description: 'changed' })
say('webhook_update', changed[:description])
rotated, = webhooks.rotate_secret(webhook_id: made[:id])
say('webhook_rotate', rotated[:id], rotated[:webhook_secret] != made[:webhook_secret])
webhooks.destroy(webhook_id: made[:id])
say('webhook_destroy', true, webhooks.list[0].length)
