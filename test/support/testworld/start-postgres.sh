#!/usr/bin/env bash
# Origin: start-postgres.sh of the project's testworld (real servers to test against), copied unchanged so that a clone is complete.
# A private PostgreSQL server on loopback (a cluster of its own, not Debian's "main").
#   start-postgres.sh start|stop|status|env|reset
. "$(dirname "$0")/lib.sh"
D=$TESTWORLD_DIR/postgres
PORT=${PG_PORT:-21432}
OWNER=${PG_OWNER:-postgres} # postgres will not run as root
as() { runuser -u "$OWNER" -- env -C / "$@"; }
case ${1:-start} in
start)
  tw_apt postgresql
  BIN=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1)
  mkdir -p "$D"
  chown "$OWNER" "$D"
  if [[ ! -s $D/data/PG_VERSION ]]; then
    printf 'testworld' >"$D/pw"; chown "$OWNER" "$D/pw"
    as "$BIN/initdb" -D "$D/data" -U testworld --pwfile="$D/pw" -A scram-sha-256 -E UTF8 --locale=C.UTF-8 >"$D/initdb.log" 2>&1
    cat >>"$D/data/postgresql.conf" <<E
listen_addresses = '127.0.0.1'
unix_socket_directories = '$D'
max_connections = 200
# durable, so that a crash test blames the right one
fsync = on
synchronous_commit = on
E
  fi
  as "$BIN/pg_ctl" -D "$D/data" status >/dev/null 2>&1 ||
    as "$BIN/pg_ctl" -D "$D/data" -o "-p $PORT" -l "$D/log" -w start >/dev/null 2>&1 </dev/null || { tail -5 "$D/log" >&2; tw_die "postgres did not start"; }
  PGPASSWORD=testworld psql -h 127.0.0.1 -p "$PORT" -U testworld -d postgres -Atc "select 1 from pg_database where datname='testworld'" | grep -q 1 ||
    PGPASSWORD=testworld createdb -h 127.0.0.1 -p "$PORT" -U testworld testworld
  tee "$D/env" <<E
TW_PG_PORT=$PORT
DATABASE_URL=postgres://testworld:testworld@127.0.0.1:$PORT/testworld
E
  ;;
stop)
  BIN=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1)
  as "$BIN/pg_ctl" -D "$D/data" -m fast -w stop >/dev/null 2>&1 || true ;;
status)
  BIN=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
  as "$BIN/pg_ctl" -D "$D/data" status >/dev/null 2>&1 && echo postgres up || echo postgres down ;;
reset) "$0" stop; rm -rf "$D/data"; "$0" start ;;
env) cat "$D/env" ;;
*) tw_die "usage: $0 start|stop|status|env|reset" ;;
esac
