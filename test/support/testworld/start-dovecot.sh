#!/usr/bin/env bash
# Origin: start-dovecot.sh of the project's testworld (real servers to test against), copied so that a clone is complete; changed: the authentication penalty is off.
# Dovecot (IMAP, LMTP, ManageSieve) and Postfix (SMTP) on loopback, with password and OAuth users.
#   start-dovecot.sh start|stop|status|env|reset|fill [USER [N]]
# Real programs from Debian; the private state is under $TESTWORLD_DIR/dovecot.
. "$(dirname "$0")/lib.sh"
D=$TESTWORLD_DIR/dovecot
B=${DOVECOT_PORT_BASE:-21100}
IMAP=$((B + 43)) IMAPS=$((B + 93)) SIEVE=$((B + 90)) LMTP=$((B + 24)) AUTHP=$((B + 12))
SMTP=$((B + 25)) SUBMISSION=$((B + 87)) SUBMISSIONS=$((B + 65)) SMTP_PLAIN=$((B + 26)) SINK_LMTP=$((B + 27)) SMTP_TRUSTED=$((B + 28))
# The OAuth server that Dovecot asks about a bearer token (start-oauth.sh); it may start later than Dovecot.
OAUTH=${OAUTH_PORT:-21700}

env_file() {
  cat <<E
TW_IMAP_HOST=127.0.0.1
TW_IMAP_PORT=$IMAP
TW_IMAPS_PORT=$IMAPS
TW_SIEVE_PORT=$SIEVE
TW_LMTP_PORT=$LMTP
TW_SMTP_HOST=127.0.0.1
TW_SMTP_PORT=$SMTP_PLAIN
TW_SMTP_STARTTLS_PORT=$SUBMISSION
TW_SMTP_TLS_PORT=$SUBMISSIONS
TW_SMTP_MX_PORT=$SMTP
TW_SMTP_NOAUTH_PORT=$SMTP_TRUSTED
TW_CA_FILE=$TW_CA
TW_MAIL_DIR=$D/mail
TW_OUTBOUND_DIR=$D/outbound
TW_DOVECOT_CONF=$D/dovecot.conf
E
}

configure() {
  mkdir -p "$D"/{run,mail,log,state,outbound}
  chmod 755 "$D" "$D/run" "$D/log" "$D/outbound"
  getent group dovecot >/dev/null || tw_die "no dovecot group"
  # Mail is owned by the unprivileged account that Debian makes for Dovecot.
  local uid gid
  uid=$(id -u dovecot) gid=$(id -g dovecot)
  chown "$uid:$gid" "$D/mail"
  {
    while read -r user pass flags; do
      printf '%s:{PLAIN}%s::::::%s\n' "$user" "$pass" "${flags:-}"
    done < <(tw_users)
    # dave: 1 MB quota. bob: dot separator and INBOX. prefix, as Courier has. frieda: German folder names, no SPECIAL-USE.
    printf 'frieda@%s:{PLAIN}frieda-pass::::::\n' "$TW_DOMAIN"
    printf 'locked@%s:{PLAIN}locked-pass::::::nologin reason=Account_locked\n' "$TW_DOMAIN"
  } | sed -e "s|^\(dave@[^ ]*::::::\)|\1userdb_quota_rule=*:storage=1M|" \
    -e "s|^\(bob@[^ ]*::::::\)|\1userdb_namespace/inbox/separator=. userdb_namespace/inbox/prefix=INBOX.|" \
    -e "s|^\(frieda@[^ ]*::::::\)|\1userdb_namespace/inbox/disabled=yes userdb_namespace/german/disabled=no|" >"$D/users"
  chmod 644 "$D/users"
  cat >"$D/oauth2.conf.ext" <<E
introspection_mode = post
introspection_url = http://imap-resource:imap-resource-secret@127.0.0.1:$OAUTH/token/introspection
username_attribute = username
active_attribute = active
active_value = true
E
  cat >"$D/dovecot.conf" <<E
base_dir = $D/run
state_dir = $D/state
instance_name = testworld
log_path = $D/log/dovecot.log
info_log_path = $D/log/dovecot.log
auth_verbose = yes
listen = 127.0.0.1
protocols = imap lmtp sieve
default_login_user = dovenull
default_internal_user = dovecot
default_internal_group = dovecot
first_valid_uid = $uid
first_valid_gid = $gid
mail_uid = $uid
mail_gid = $gid
mail_home = $D/mail/%Lu
mail_location = maildir:~/Maildir:UTF-8
mailbox_list_index = yes
ssl = yes
ssl_cert = <$TW_CRT
ssl_key = <$TW_KEY
ssl_min_protocol = TLSv1.2
disable_plaintext_auth = no
auth_mechanisms = plain login xoauth2 oauthbearer
auth_username_format = %Lu
auth_cache_size = 0
auth_failure_delay = 0
mail_max_userip_connections = 60
imap_id_retain = yes
mail_fsync = never
mail_plugins = \$mail_plugins quota notify mail_log
protocol imap {
  mail_plugins = \$mail_plugins imap_quota
  imap_id_send = name Dovecot vendor testworld
}
protocol lmtp {
  mail_plugins = \$mail_plugins sieve
  postmaster_address = postmaster@$TW_DOMAIN
}
recipient_delimiter = +
lmtp_save_to_detail_mailbox = no
plugin {
  quota = maildir:User quota
  quota_rule = *:storage=500M
  quota_exceeded_message = Quota exceeded (mailbox for user is full)
  sieve = file:~/sieve;active=~/.dovecot.sieve
}
passdb {
  driver = passwd-file
  mechanisms = plain login
  args = scheme=PLAIN username_format=%Lu $D/users
}
passdb {
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = $D/oauth2.conf.ext
}
userdb {
  driver = passwd-file
  args = username_format=%Lu $D/users
}
userdb {
  driver = static
  args = allow_all_users=yes
}
namespace german {
  disabled = yes
  inbox = yes
  separator = /
  mailbox Entwürfe {
    auto = subscribe
  }
  mailbox "Gesendete Objekte" {
    auto = subscribe
  }
  mailbox Papierkorb {
    auto = subscribe
  }
}
namespace inbox {
  inbox = yes
  separator = /
  mailbox Drafts {
    special_use = \Drafts
    auto = subscribe
  }
  mailbox Sent {
    special_use = \Sent
    auto = subscribe
  }
  mailbox Trash {
    special_use = \Trash
    auto = subscribe
  }
  mailbox Junk {
    special_use = \Junk
    auto = subscribe
  }
  mailbox Archive {
    special_use = \Archive
    auto = subscribe
  }
}
service imap-login {
  inet_listener imap {
    address = 127.0.0.1
    port = $IMAP
  }
  inet_listener imaps {
    address = 127.0.0.1
    port = $IMAPS
    ssl = yes
  }
  chroot =
}
service managesieve-login {
  inet_listener sieve {
    address = 127.0.0.1
    port = $SIEVE
  }
  chroot =
}
service lmtp {
  inet_listener lmtp {
    address = 127.0.0.1
    port = $LMTP
  }
  unix_listener lmtp {
    mode = 0
  }
}
service auth {
  inet_listener {
    address = 127.0.0.1
    port = $AUTHP
  }
}
# Tests sign in wrongly on purpose: without this Dovecot answers the next sign-ins of the same address up to 15 s late
# (doc.dovecot.org, "authentication penalty", checked 2026-11), and Postfix gives up on it with 454.
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service stats {
  unix_listener stats-writer {
    mode = 0666
  }
}
E
}

configure_postfix() {
  local P=$D/postfix
  mkdir -p "$P"/{etc,spool,data}
  chown postfix "$P/data"
  cat >"$P/etc/main.cf" <<E
compatibility_level = 3.6
queue_directory = $P/spool
data_directory = $P/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
shlib_directory = /usr/lib/postfix
maillog_file_prefixes = $D/log
maillog_file = $D/log/postfix.log
alternate_config_directories = $P/etc
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.$TW_DOMAIN
mydomain = $TW_DOMAIN
mydestination =
mynetworks = 127.0.0.254/32
local_transport = error:no local delivery
virtual_mailbox_domains = $TW_DOMAIN
virtual_mailbox_maps = regexp:$P/etc/mailboxes
virtual_transport = lmtp:inet:127.0.0.1:$LMTP
default_transport = lmtp:inet:127.0.0.1:$SINK_LMTP
relay_transport = lmtp:inet:127.0.0.1:$SINK_LMTP
alias_maps =
alias_database =
message_size_limit = 26214400
recipient_delimiter = +
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:$AUTHP
smtpd_sasl_auth_enable = yes
smtpd_sasl_security_options = noanonymous
smtpd_tls_cert_file = $TW_CRT
smtpd_tls_key_file = $TW_KEY
smtpd_tls_security_level = may
smtp_tls_security_level = none
smtpd_recipient_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_sender_login_maps = regexp:$P/etc/senders
disable_dns_lookups = yes
smtp_host_lookup = native
notify_classes =
smtpd_error_sleep_time = 0
biff = no
E
  printf '/^(alice|bob|carol|dave|erin|frieda|ollie)(\\+.*)?@testworld\\.example$/ ok\n' >"$P/etc/mailboxes"
  printf '/^(.*)@testworld\\.example$/ ${1}@testworld.example\n' >"$P/etc/senders"
  cat >"$P/etc/master.cf" <<E
127.0.0.1:$SMTP inet n - n - - smtpd
127.0.0.1:$SMTP_PLAIN inet n - n - - smtpd
  -o syslog_name=postfix/plain -o smtpd_tls_security_level=none -o smtpd_client_restrictions=permit_sasl_authenticated,reject
127.0.0.1:$SMTP_TRUSTED inet n - n - - smtpd
  -o syslog_name=postfix/noauth -o mynetworks=127.0.0.0/8 -o smtpd_relay_restrictions=permit_mynetworks,reject_unauth_destination -o smtpd_recipient_restrictions=permit_mynetworks,reject_unauth_destination -o smtpd_sasl_auth_enable=no
127.0.0.1:$SUBMISSION inet n - n - - smtpd
  -o syslog_name=postfix/submission -o smtpd_tls_security_level=encrypt -o smtpd_client_restrictions=permit_sasl_authenticated,reject
  -o smtpd_sender_restrictions=reject_sender_login_mismatch
127.0.0.1:$SUBMISSIONS inet n - n - - smtpd
  -o syslog_name=postfix/submissions -o smtpd_tls_wrappermode=yes -o smtpd_client_restrictions=permit_sasl_authenticated,reject
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
E
}

case ${1:-start} in
start)
  tw_apt dovecot-imapd dovecot-lmtpd dovecot-managesieved postfix openssl python3
  tw_ca
  if ! tw_alive "$D/run/master.pid"; then
    for p in "$IMAP" "$SMTP"; do tw_port_busy "$p" && tw_die "port $p is in use; set DOVECOT_PORT_BASE"; done
    rm -f "$D/run/master.pid"
    configure
    dovecot -c "$D/dovecot.conf" >>"$D/log/dovecot-start.log" 2>&1 </dev/null || { tail -5 "$D/log/dovecot-start.log" >&2; tw_die "dovecot did not start"; }
  fi
  if ! tw_alive "$D/sink.pid"; then
    tw_daemon "$D/sink.pid" "$D/log/sink.log" python3 "$TW_HERE/lmtp-sink.py" "$SINK_LMTP" "$D/outbound"
  fi
  if ! tw_alive "$D/postfix/spool/pid/master.pid"; then
    configure_postfix
    postfix -c "$D/postfix/etc" start >>"$D/log/postfix-start.log" 2>&1 </dev/null || { tail -5 "$D/log/postfix-start.log" >&2; tw_die "postfix did not start"; }
  fi
  for p in "$IMAP" "$IMAPS" "$LMTP" "$SMTP" "$SUBMISSION" "$SUBMISSIONS" "$SINK_LMTP"; do tw_wait_port "$p" || tw_die "nothing listens on $p, see $D/log"; done
  env_file | tee "$D/env"
  ;;
stop)
  tw_alive "$D/postfix/spool/pid/master.pid" && postfix -c "$D/postfix/etc" stop >>"$D/log/postfix-start.log" 2>&1 || true
  tw_kill "$D/sink.pid"
  [[ -s $D/run/master.pid ]] && { doveadm -c "$D/dovecot.conf" stop 2>/dev/null || true; }
  for _ in $(seq 50); do tw_alive "$D/run/master.pid" || break; sleep 0.1; done
  ;;
status)
  tw_alive "$D/run/master.pid" && echo dovecot up || echo dovecot down
  tw_alive "$D/postfix/spool/pid/master.pid" && echo postfix up || echo postfix down
  ;;
env) cat "$D/env" ;;
reset) # empty every mailbox and the outbound box; the servers may stay up
  rm -rf "$D/mail"/*@* "$D/outbound"/*
  ;;
fill) # fill USER N : put N generated messages into a user's folders (default alice 2000)
  python3 "$TW_HERE/generate-mail.py" --count "${3:-2000}" --user "${2:-alice@$TW_DOMAIN}" --lmtp "127.0.0.1:$LMTP" --imap "127.0.0.1:$IMAP"
  ;;
*) tw_die "usage: $0 start|stop|status|env|reset|fill" ;;
esac
