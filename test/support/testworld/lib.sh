# Origin: lib.sh of the project's testworld (real servers to test against), copied unchanged so that a clone is complete.
# Shared helpers for the testworld scripts. Source it, do not run it.
# TESTWORLD_DIR  private state of every server (default: $TMPDIR/testworld)
# Every server listens on 127.0.0.1 only.
set -euo pipefail
TW_HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export TESTWORLD_DIR=${TESTWORLD_DIR:-${TMPDIR:-/tmp}/testworld}
TW_DOMAIN=testworld.example
mkdir -p "$TESTWORLD_DIR"
chmod 755 "$TESTWORLD_DIR"

tw_log() { printf '%s\n' "$*" >&2; }
tw_die() { tw_log "testworld: $*"; exit 1; }

# tw_apt PKG... : install the Debian packages that are missing, without starting any service.
tw_apt() {
  local p missing=()
  for p in "$@"; do
    [[ "$(dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null || true)" == installed ]] || missing+=("$p")
  done
  ((${#missing[@]})) || return 0
  tw_log "installing: ${missing[*]}"
  local policy=/usr/sbin/policy-rc.d made=
  if [[ ! -e $policy ]]; then printf '#!/bin/sh\nexit 101\n' >"$policy"; chmod 755 "$policy"; made=1; fi
  local rc=0 log=$TESTWORLD_DIR/apt.log
  { DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "${missing[@]}" ||
    { apt-get -o DPkg::Lock::Timeout=300 update &&
      DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "${missing[@]}"; }; } >>"$log" 2>&1 </dev/null || rc=$?
  [[ -z $made ]] || rm -f "$policy"
  ((rc == 0)) || { tail -20 "$log" >&2; tw_die "apt-get failed, see $log"; }
}

# tw_npm NAME@VERSION... : install npm packages under $TESTWORLD_DIR/npm (no install scripts run).
tw_npm() {
  local d=$TESTWORLD_DIR/npm spec name want=()
  mkdir -p "$d"
  [[ -f $d/package.json ]] || printf '{"private":true}\n' >"$d/package.json"
  for spec in "$@"; do
    name=${spec%@*}
    [[ "$(node -p "try{require('$d/node_modules/$name/package.json').version}catch{''}")" == "${spec##*@}" ]] || want+=("$spec")
  done
  ((${#want[@]})) || return 0
  tw_log "npm install ${want[*]}"
  (cd "$d" && npm install --no-audit --no-fund --ignore-scripts --loglevel=error "${want[@]}" >>"$TESTWORLD_DIR/npm.log" 2>&1) ||
    { tail -20 "$TESTWORLD_DIR/npm.log" >&2; tw_die "npm install failed"; }
}

# tw_ca : a private CA and one server certificate for localhost, 127.0.0.1 and *.testworld.example.
tw_ca() {
  TW_CA=$TESTWORLD_DIR/ca/ca.pem TW_CRT=$TESTWORLD_DIR/ca/server.pem TW_KEY=$TESTWORLD_DIR/ca/server.key
  [[ -s $TW_CRT ]] && return 0
  local d=$TESTWORLD_DIR/ca
  mkdir -p "$d"
  openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -keyout "$d/ca.key" -out "$d/ca.pem" \
    -subj "/CN=testworld CA" -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign,cRLSign" 2>/dev/null
  openssl req -newkey rsa:2048 -nodes -keyout "$d/server.key" -out "$d/server.csr" -subj "/CN=localhost" 2>/dev/null
  printf 'subjectAltName=DNS:localhost,DNS:*.%s,DNS:%s,IP:127.0.0.1,IP:0:0:0:0:0:0:0:1\nbasicConstraints=CA:FALSE\nkeyUsage=digitalSignature,keyEncipherment\nextendedKeyUsage=serverAuth\n' \
    "$TW_DOMAIN" "$TW_DOMAIN" >"$d/ext"
  openssl x509 -req -in "$d/server.csr" -CA "$d/ca.pem" -CAkey "$d/ca.key" -CAcreateserial -days 3650 -extfile "$d/ext" -out "$d/server.pem.new" 2>/dev/null
  chmod 644 "$d"/*.pem* "$d/server.key"
  mv "$d/server.pem.new" "$d/server.pem"
}

# tw_wait_port PORT [SECONDS]
tw_wait_port() {
  local i n=$((${2:-20} * 10))
  for ((i = 0; i < n; i++)); do
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return 0
    sleep 0.1
  done
  return 1
}
tw_port_busy() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# tw_alive PIDFILE : is the process whose id the file holds running?
tw_alive() { [[ -s $1 ]] && kill -0 "$(tr -dc 0-9 <"$1")" 2>/dev/null; }

# tw_kill PIDFILE : end it, wait up to 10 s, then SIGKILL that one process.
tw_kill() {
  local pid i
  tw_alive "$1" || { rm -f "$1"; return 0; }
  pid=$(tr -dc 0-9 <"$1")
  kill "$pid" 2>/dev/null || true
  for ((i = 0; i < 100; i++)); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
  kill -9 "$pid" 2>/dev/null || true
  rm -f "$1"
}

# tw_daemon PIDFILE LOGFILE CMD... : start detached, remember its id.
tw_daemon() {
  local pidfile=$1 log=$2; shift 2
  setsid "$@" >>"$log" 2>&1 </dev/null &
  echo $! >"$pidfile"
}

# tw_users : the mail and calendar accounts, "address password flags"
tw_users() {
  cat <<'USERS'
alice@testworld.example alice-pass
bob@testworld.example bob-pass
carol@testworld.example carol-pass
dave@testworld.example dave-pass
erin@testworld.example pässwörd€ü
USERS
}
