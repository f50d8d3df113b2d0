#!/usr/bin/env python3
# Origin: generate-mail.py of the project's testworld (real servers to test against), copied unchanged so that a clone is complete.
"""Fill a mailbox over IMAP with generated mail: deterministic, varied, nasty in places.

generate-mail.py --user alice@testworld.example --password alice-pass --imap 127.0.0.1:21143 --count 2000
Every message carries an X-Testworld header: its kind and number.
"""
import argparse, base64, email.header, email.policy, email.utils, hashlib, imaplib, io, random, time, zipfile
from email.message import EmailMessage

ap = argparse.ArgumentParser()
ap.add_argument("--user", default="alice@testworld.example")
ap.add_argument("--password")
ap.add_argument("--imap", default="127.0.0.1:21143")
ap.add_argument("--lmtp")
ap.add_argument("--count", type=int, default=2000)
ap.add_argument("--seed", type=int, default=7)
a = ap.parse_args()
rnd = random.Random(f"{a.seed}/{a.user}")
password = a.password or ("pässwörd€ü" if a.user.startswith("erin") else a.user.split("@")[0] + "-pass")

PEOPLE = [
    ("Grace Hopper", "grace@navy.example"), ("Zoë Ångström", "zoe@example.se"), ("山田 太郎", "taro@example.jp"),
    ("Игорь Петров", "igor@example.ru"), ("O'Neil, Pat", "pat@example.ie"), ("", "noreply@shop.example"),
    ("محمد علي", "mohamed@example.eg"), ("Łukasz Żółć", "lukasz@example.pl"), ("Team \"Build\" Bot", "bot+ci@build.example"),
    ("😀 Emoji Sender", "smile@example.com"), ("Ünïcode GmbH", "kontakt@xn--nicode-2ya.example"), ("李小龙", "lee@example.cn"),
]
SUBJECTS = [
    "Quarterly numbers", "Ré: déjà vu à Zürich", "会議のお知らせ", "Встреча в пятницу", "Invoice #{n}", "Your order has shipped 🚚",
    "A subject so long that it has to be folded over more than one line because it simply does not stop at seventy-eight characters ({n})",
    "=?not-really?= an encoded word", "[list-dev] patch {n}: fix the thing", "", "Fwd: Fwd: Fwd: funny", "İstanbul’da görüşme — “quotes” & <tags>",
]
WORDS = "lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut labore et dolore magna aliqua".split()
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
NOW = 1_790_000_000  # fixed: generated mail is the same on every run
threads = []


def para(k=40):
    return " ".join(rnd.choice(WORDS) for _ in range(rnd.randint(k // 2, k))).capitalize() + "."


def addr(p):
    return email.utils.formataddr(p) if p[0].isascii() else f"{email.header.Header(p[0], 'utf-8').encode()} <{p[1]}>"


def pdf():
    return b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n" + rnd.randbytes(rnd.randint(100, 20000))


def zipped():
    b = io.BytesIO()
    with zipfile.ZipFile(b, "w") as z:
        z.writestr(zipfile.ZipInfo("readme.txt", (2026, 1, 1, 0, 0, 0)), para())
    return b.getvalue()


def ics(n, method="REQUEST"):
    return (f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//testworld//EN\r\nMETHOD:{method}\r\nBEGIN:VEVENT\r\nUID:inv-{n}@testworld.example\r\n"
            "DTSTAMP:20260901T080000Z\r\nDTSTART;TZID=Europe/Berlin:20261012T100000\r\nDTEND;TZID=Europe/Berlin:20261012T110000\r\n"
            f"SUMMARY:Planning {n}\r\nORGANIZER;CN=Grace:mailto:grace@navy.example\r\n"
            f"ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{a.user}\r\nSEQUENCE:0\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")


def base(n, when):
    m = EmailMessage(policy=email.policy.SMTP.clone(max_line_length=76))
    m["From"] = addr(rnd.choice(PEOPLE))
    m["To"] = a.user if rnd.random() < 0.7 else ", ".join([a.user] + [addr(p) for p in rnd.sample(PEOPLE, rnd.randint(1, 6))])
    if rnd.random() < 0.2:
        m["Cc"] = ", ".join(addr(p) for p in rnd.sample(PEOPLE, 2))
    if rnd.random() < 0.05:
        m["Reply-To"] = "Replies <replies@example.net>"
    subject = rnd.choice(SUBJECTS).format(n=n)
    mid = f"<{hashlib.sha1(f'{a.seed}{a.user}{n}'.encode()).hexdigest()[:20]}@gen.testworld.example>"
    if threads and rnd.random() < 0.45:
        t = rnd.choice(threads[-60:])
        m["In-Reply-To"] = t["ids"][-1]
        m["References"] = " ".join(t["ids"][-10:])
        subject = "Re: " + t["subject"]
        t["ids"].append(mid)
    else:
        threads.append({"ids": [mid], "subject": subject})
    m["Subject"] = subject
    m["Date"] = email.utils.formatdate(when, usegmt=rnd.random() < 0.3)
    m["Message-ID"] = mid
    return m


def plain(n, w):
    m = base(n, w)
    m.set_content("\n\n".join(para() for _ in range(3)) + f"\n\n-- \nNumber {n}\n")
    return m


def html(n, w):
    m = plain(n, w)
    m.add_alternative(f"<html><head><style>p{{color:#333}}</style></head><body><h1>Číslo {n} &amp; more</h1><p>{para()}</p><script>alert(1)</script></body></html>", subtype="html")
    return m


def html_only(n, w):
    m = base(n, w)
    m.set_content(f"<p>{para()}</p><p>Grüße, naïve café – €{n}</p>", subtype="html", cte="quoted-printable")
    return m


def inline(n, w):
    m = base(n, w)
    m.set_content("See the picture.")
    m.add_alternative('<p>Picture: <img src="cid:logo@testworld"></p>', subtype="html")
    m.get_payload()[1].add_related(PNG, "image", "png", cid="<logo@testworld>", filename="logo.png", disposition="inline")
    return m


def attach(n, w):
    m = html(n, w) if rnd.random() < 0.5 else plain(n, w)
    for _ in range(rnd.randint(1, 3)):
        kind = rnd.randrange(4)
        if kind == 0:
            m.add_attachment(pdf(), "application", "pdf", filename=f"report {n}.pdf")
        elif kind == 1:
            m.add_attachment(zipped(), "application", "zip", filename="Übersicht – прайс 価格.zip")
        elif kind == 2:
            m.add_attachment(para(200), subtype="csv", filename="data;semi\"quote.csv")
        else:
            m.add_attachment(PNG, "image", "png")  # no file name at all
    return m


def invite(n, w):
    m = plain(n, w)
    m.add_alternative(ics(n), subtype="calendar", params={"method": "REQUEST"})
    m.add_attachment(ics(n).encode(), "application", "ics", filename="invite.ics")
    return m


def nested(n, w):
    m = plain(n, w)
    inner = base(n + 1_000_000, w)
    inner.set_content("I am the forwarded one.")
    inner.add_attachment(pdf(), "application", "pdf", filename="inner.pdf")
    m.add_attachment(inner)
    return m


def list_mail(n, w):
    m = plain(n, w)
    m["List-Id"] = "Dev list <dev.lists.example>"
    m["List-Unsubscribe"] = "<mailto:leave@lists.example>, <https://lists.example/leave?u=1>"
    m["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    m["Precedence"] = "list"
    return m


def charset(n, w):
    m = base(n, w)
    text, cs = rnd.choice([("日本語の本文です。\n", "iso-2022-jp"), ("Русский текст\n", "koi8-r"), ("Smart “quotes” – done\n", "windows-1252"),
                           ("中文内容\n", "gb18030"), ("Ελληνικά\n", "iso-8859-7"), ("한국어 본문\n", "euc-kr")])
    m.set_content(text * 5, charset=cs)
    return m


def raw(n, w, kind):
    mid = f"<raw{n}@gen.testworld.example>"
    date = email.utils.formatdate(w)
    to = a.user
    bodies = {
        "no-headers": "just a body, no headers at all\r\n",
        "no-date": f"From: a@example.com\r\nTo: {to}\r\nSubject: no date\r\nMessage-ID: {mid}\r\n\r\nx\r\n",
        "bad-date": f"From: a@example.com\r\nTo: {to}\r\nSubject: bad date\r\nDate: yesterday noon\r\nMessage-ID: {mid}\r\n\r\nx\r\n",
        "no-msgid": f"From: a@example.com\r\nTo: {to}\r\nSubject: no message id\r\nDate: {date}\r\n\r\nx\r\n",
        "dup-msgid": f"From: a@example.com\r\nTo: {to}\r\nSubject: same id {n}\r\nDate: {date}\r\nMessage-ID: <same@example.com>\r\n\r\nx\r\n",
        "raw-8bit-header": f"From: J\u00fcrgen <j@example.com>\r\nTo: {to}\r\nSubject: Gr\u00fc\u00dfe roh\r\nDate: {date}\r\nMessage-ID: {mid}\r\n\r\nlatin1 \u00e4\u00f6\u00fc\r\n",
        "group-address": f"From: a@example.com\r\nTo: undisclosed-recipients:;\r\nCc: Friends: b@example.com, \"C, D\" <c@example.com>;\r\nSubject: group\r\nDate: {date}\r\nMessage-ID: {mid}\r\n\r\nx\r\n",
        "broken-mime": f"From: a@example.com\r\nTo: {to}\r\nSubject: broken\r\nDate: {date}\r\nMessage-ID: {mid}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\nnever closed\r\n",
        "bad-base64": f"From: a@example.com\r\nTo: {to}\r\nSubject: bad b64\r\nDate: {date}\r\nMessage-ID: {mid}\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=nonsense-99\r\nContent-Transfer-Encoding: base64\r\n\r\nSGVsbG8*gd29ybGQ\r\n",
        "dsn": f"From: MAILER-DAEMON@mx.example\r\nTo: {to}\r\nSubject: Undelivered Mail Returned to Sender\r\nDate: {date}\r\nMessage-ID: {mid}\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nIt did not work.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; gone@example.com\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: {to}\r\nTo: gone@example.com\r\nSubject: hi\r\nMessage-ID: <orig{n}@testworld.example>\r\n\r\nhi\r\n--b--\r\n",
        "flowed": f"From: a@example.com\r\nTo: {to}\r\nSubject: flowed\r\nDate: {date}\r\nMessage-ID: {mid}\r\nContent-Type: text/plain; format=flowed; delsp=yes\r\n\r\nThis line goes \r\non here.\r\n> quoted \r\n> more\r\n",
    }
    return f"X-Testworld: raw/{kind} {n}\r\n".encode() * (kind != "no-headers") + bodies[kind].encode("latin-1", "replace")


RAW = ["no-headers", "no-date", "bad-date", "no-msgid", "dup-msgid", "raw-8bit-header", "group-address", "broken-mime", "bad-base64", "dsn", "flowed"]
MAKERS = [(plain, 30), (html, 25), (html_only, 8), (attach, 15), (inline, 6), (invite, 3), (nested, 2), (list_mail, 6), (charset, 5)]
FOLDERS = [("INBOX", 60), ("Sent", 8), ("Archive", 12), ("Trash", 4), ("Junk", 4), ("Projects/Ä & B", 6), ("Projects/deep/er/日本", 3), ("Drafts", 3)]

host, port = a.imap.split(":")
imap = imaplib.IMAP4(host, int(port))
imap._encoding = "utf-8"
token = base64.b64encode(f"\0{a.user}\0{password}".encode())
imap.authenticate("PLAIN", lambda _: base64.b64decode(token))
typ, data = imap.namespace()
prefix, sep = "", "/"
raw_ns = data[0].decode()
parts = raw_ns.split('"')
if len(parts) > 3:
    prefix, sep = parts[1], parts[3]


def utf7(name):
    out, buf = [], []

    def flush():
        if buf:
            out.append("&" + base64.b64encode("".join(buf).encode("utf-16-be")).decode().rstrip("=").replace("/", ",") + "-")
            buf.clear()
    for ch in name:
        if " " <= ch <= "~":
            flush()
            out.append("&-" if ch == "&" else ch)
        else:
            buf.append(ch)
    flush()
    return "".join(out)


def folder_name(f):
    return f if f == "INBOX" else '"' + utf7(prefix + f.replace("/", sep)) + '"'


made = {"INBOX"}
started, sizes = time.time(), 0
for n in range(a.count):
    when = NOW - (a.count - n) * 3600 + rnd.randint(0, 3000)
    if n % 33 == 7:
        kind = RAW[(n // 33) % len(RAW)]
        blob = raw(n, when, kind)
    else:
        maker = rnd.choices([m for m, _ in MAKERS], [w for _, w in MAKERS])[0]
        m = maker(n, when)
        m["X-Testworld"] = f"{maker.__name__} {n}"
        if n % 500 == 250:
            m.add_attachment(rnd.randbytes(4_000_000), "application", "octet-stream", filename=f"big-{n}.bin")
        blob = m.as_bytes()
    folder = rnd.choices([f for f, _ in FOLDERS], [w for _, w in FOLDERS])[0]
    if folder not in made:
        imap.create(folder_name(folder))
        imap.subscribe(folder_name(folder))
        made.add(folder)
    flags = [f for f, p in (("\\Seen", 0.6), ("\\Flagged", 0.05), ("\\Answered", 0.1), ("$Forwarded", 0.02), ("\\Draft", 1.0 if folder == "Drafts" else 0)) if rnd.random() < p]
    typ, resp = imap.append(folder_name(folder), "(" + " ".join(flags) + ")", imaplib.Time2Internaldate(when), blob)
    if typ != "OK":
        raise SystemExit(f"APPEND to {folder} failed at {n}: {resp}")
    sizes += len(blob)
imap.logout()
print(f"{a.count} messages, {sizes / 1e6:.1f} MB, {len(threads)} threads, into {len(made)} folders of {a.user} in {time.time() - started:.1f} s")
