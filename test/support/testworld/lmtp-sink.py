#!/usr/bin/env python3
# Origin: lmtp-sink.py of the project's testworld (real servers to test against), copied unchanged so that a clone is complete.
"""A tiny LMTP server: keeps every message the MTA relays to the outside world.

lmtp-sink.py PORT DIR    writes DIR/000001.eml and DIR/000001.json ({"from", "to", "at"})
Recipients whose local part starts with "bounce" get 550, with "defer" 451, with "slow" an answer after 5 s.
"""
import asyncio, json, os, re, sys, time

port, out = int(sys.argv[1]), sys.argv[2]
os.makedirs(out, exist_ok=True)
count = max([int(n[:6]) for n in os.listdir(out) if re.match(r"\d{6}\.eml$", n)] or [0])


async def serve(reader, writer):
    global count

    async def say(line):
        writer.write(line.encode() + b"\r\n")
        await writer.drain()

    sender, rcpts = None, []
    try:
        await say("220 sink LMTP")
        while line := await reader.readline():
            text = line.decode("utf-8", "replace").strip()
            verb = text.upper()
            if verb.startswith("LHLO"):
                writer.write(b"250-sink\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-ENHANCEDSTATUSCODES\r\n250 PIPELINING\r\n")
                await writer.drain()
            elif verb.startswith("MAIL FROM:"):
                sender, rcpts = re.sub(r"^[^<]*<([^>]*)>.*$", r"\1", text), []
                await say("250 2.1.0 ok")
            elif verb.startswith("RCPT TO:"):
                rcpt = re.sub(r"^[^<]*<([^>]*)>.*$", r"\1", text)
                if rcpt.startswith("bounce"):
                    await say("550 5.1.1 no such user here")
                elif rcpt.startswith("defer"):
                    await say("451 4.3.0 try again later")
                else:
                    if rcpt.startswith("slow"):
                        await asyncio.sleep(5)
                    rcpts.append(rcpt)
                    await say("250 2.1.5 ok")
            elif verb == "DATA":
                if not rcpts:
                    await say("503 5.5.1 no recipients")
                    continue
                await say("354 go on")
                lines = []
                while (data := await reader.readline()) not in (b".\r\n", b".\n", b""):
                    lines.append(data[1:] if data.startswith(b".") else data)
                count += 1
                name = os.path.join(out, f"{count:06d}")
                with open(name + ".eml", "wb") as f:
                    f.write(b"".join(lines))
                with open(name + ".json.tmp", "w") as f:
                    json.dump({"from": sender, "to": rcpts, "at": time.time()}, f)
                os.rename(name + ".json.tmp", name + ".json")
                for _ in rcpts:
                    await say("250 2.0.0 kept")
            elif verb == "RSET":
                sender, rcpts = None, []
                await say("250 2.0.0 ok")
            elif verb == "QUIT":
                await say("221 2.0.0 bye")
                return
            elif verb == "NOOP":
                await say("250 2.0.0 ok")
            else:
                await say("502 5.5.2 what?")
    except ConnectionError:
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", port, limit=1 << 24)
    async with server:
        await server.serve_forever()


asyncio.run(main())
