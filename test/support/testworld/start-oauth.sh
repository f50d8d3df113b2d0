#!/usr/bin/env bash
# Origin: start-oauth.sh of the project's testworld (real servers to test against); changed: oidc-provider comes from the locked dev dependencies.
# NPM_DIR: the folder whose node_modules holds oidc-provider (default: this repository). NODE: the Node to run it with.
# An OAuth 2.0 / OpenID Connect server (npm oidc-provider, a certified implementation) on loopback, whose
# access tokens Dovecot accepts for XOAUTH2 and OAUTHBEARER.
#   start-oauth.sh start|stop|status|env
# Refresh tokens rotate; a used one that is used again kills the whole grant (as the real strict providers do).
. "$(dirname "$0")/lib.sh"
D=$TESTWORLD_DIR/oauth
PORT=${OAUTH_PORT:-21700}
case ${1:-start} in
start)
  mkdir -p "$D"
  if ! tw_alive "$D/pid"; then
    tw_port_busy "$PORT" && tw_die "port $PORT is in use; set OAUTH_PORT"
    OAUTH_TTL=${OAUTH_TTL:-3600} NPM_DIR=${NPM_DIR:-$TW_HERE/../../..} tw_daemon "$D/pid" "$D/log" "${NODE:-node}" "$TW_HERE/oauth-server.mjs" "$PORT"
  fi
  tw_wait_port "$PORT" || { tail -20 "$D/log" >&2; tw_die "oauth server did not start"; }
  tee "$D/env" <<E
TW_OAUTH_ISSUER=http://127.0.0.1:$PORT
TW_OAUTH_AUTHORIZE=http://127.0.0.1:$PORT/auth
TW_OAUTH_TOKEN=http://127.0.0.1:$PORT/token
TW_OAUTH_USERINFO=http://127.0.0.1:$PORT/me
TW_OAUTH_INTROSPECT=http://127.0.0.1:$PORT/token/introspection
TW_OAUTH_MINT=http://127.0.0.1:$PORT/testworld/mint
TW_OAUTH_CLIENT_ID=mail-app
TW_OAUTH_CLIENT_SECRET=mail-app-secret
TW_OAUTH_PUBLIC_CLIENT_ID=public-app
E
  ;;
stop) tw_kill "$D/pid" ;;
status) tw_alive "$D/pid" && echo oauth up || echo oauth down ;;
env) cat "$D/env" ;;
*) tw_die "usage: $0 start|stop|status|env" ;;
esac
