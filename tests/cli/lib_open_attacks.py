# SPDX-License-Identifier: Apache-2.0
"""What a hostile program sends to a session's tree socket. Each mode prints one line for each thing that went wrong."""
import os
import socket
import struct
import sys
import time

mode, path = sys.argv[1], sys.argv[2]


def text(s):
    b = s if isinstance(s, bytes) else s.encode()
    return (bytes([0xa0 | len(b)]) if len(b) < 32 else b"\xda" + struct.pack(">H", len(b))) + b


def message(*pairs):
    out = bytes([0x80 | len(pairs)])
    for key, value in pairs:
        out += text(key) + value
    return out


V = ("v", b"\x01")
HELLO = message(V, ("t", text("hello")), ("text", text("attack")))


def url(value):
    return message(V, ("t", text("open-url")), ("url", value))


def connect():
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(30)
    s.connect(path)
    return s


def receive(s):
    try:
        return s.recv(65536)
    except ConnectionError:
        return b""


def greeted():
    s = connect()
    s.send(HELLO)
    if b"hello" not in receive(s):
        print("no greeting")
    return s


def opened(answer):
    return b"result" in answer and b"\xa6status\x00" in answer


def malformed():
    good = text("https://claude.ai/forged")
    cases = {
        "not a map": b"\x93\x01\x02\x03",
        "one byte": b"\xc1",
        "text": b"open https://claude.ai/forged",
        "no version": message(("t", text("open-url")), ("url", good)),
        "another version": message(("v", b"\x02"), ("t", text("open-url")), ("url", good)),
        "version as text": message(("v", text("1")), ("t", text("open-url")), ("url", good)),
        "unknown type": message(V, ("t", text("open-file")), ("url", good)),
        "type as number": message(V, ("t", b"\x02"), ("url", good)),
        "no url": message(V, ("t", text("open-url"))),
        "url as number": url(b"\x07"),
        "url as list": url(b"\x91" + good),
        "url as map": url(b"\x81" + good + good),
        "url as bytes": url(b"\xc4\x18https://claude.ai/forged"),
        "url as nil": url(b"\xc0"),
        "url twice": message(V, ("t", text("open-url")), ("url", good), ("url", good)),
        "NUL in it": url(text("https://claude.ai/\0forged")),
        "not UTF-8": url(text(b"https://claude.ai/\xff\xfe")),
        "longer than allowed": url(text("https://claude.ai/" + "f" * 9000)),
        "announces 4 GiB": b"\x83\xa1v\x01\xa1t\xa8open-url\xa3url\xdb\xff\xff\xff\xff" + good,
        "announces a huge list": b"\x83\xa1v\x01\xa1t\xa8open-url\xa3url\xdd\xff\xff\xff\xff",
        "announces a huge map": b"\xdf\xff\xff\xff\xff",
        "cut short": url(good)[:-4],
        "something behind it": url(good) + b"\x00",
        "deep": b"\x91" * 20000,
        "as large as it gets": b"\x83\xa1v\x01\xa1t\xa8open-url\xa3url\xda\xff\xff" + b"f" * 60000,
        "an answer": message(V, ("t", text("answer")), ("id", b"\x01"), ("answer", text("once"))),
        "a list of questions": message(V, ("t", text("pending-list"))),
        "a list of grants": message(V, ("t", text("grant-list"))),
        "watching": message(V, ("t", text("watch"))),
        "taking back a grant": message(V, ("t", text("revoke")), ("id", b"\x01")),
        "a result": message(V, ("t", text("result")), ("status", b"\x00")),
        "a second greeting": HELLO,
        "empty": b"",
    }
    for name, data in cases.items():
        with greeted() as s:
            s.send(data)
            answer = receive(s)
            if answer and (opened(answer) or b"pending" in answer or b"hello" in answer):
                print(f"{name}: {answer!r}")
    for name, data in {"no greeting": url(good), "a greeting of wrong type": message(V, ("t", text("hello")))}.items():
        with connect() as s:
            s.send(data)
            answer = receive(s)
            if answer:
                print(f"{name}: {answer!r}")
    # descriptors that come along are nobody's business
    with greeted() as s:
        socket.send_fds(s, [url(text("https://evil.test/"))], [0, 1, 2])
        if opened(receive(s)):
            print("with descriptors: opened")
    # a request is one; what follows it on the connection is none
    with greeted() as s:
        s.send(url(text("https://evil.test/")))
        s.send(url(text("https://claude.ai/forged")))
        while answer := receive(s):
            if opened(answer):
                print("the second one on a connection is opened")


def silent():
    """Neither greeting nor request: the broker hangs up, and the person can still reach the session meanwhile."""
    mute = [connect() for _ in range(40)] + [greeted() for _ in range(20)]
    open(sys.argv[3], "w").close()
    for s in mute:
        if receive(s):
            print("a mute connection was told something")
    for _ in range(500):
        try:
            s = connect()
            s.send(HELLO)
            receive(s)
            s.close()
        except OSError:
            pass


def deaf():
    """Greets without end and never reads: only the first greeting is answered."""
    s = connect()
    s.setblocking(False)
    begin = time.monotonic()
    try:
        while time.monotonic() < begin + 5:
            s.send(HELLO)
    except (BlockingIOError, ConnectionError):
        pass


def flood():
    socks = [greeted() for _ in range(50)]
    for i, s in enumerate(socks):
        s.send(url(text(f"https://claude.ai/flood/{i}")))
    n = sum(opened(receive(s)) for s in socks)
    print(n)


def forged():
    """From somewhere else: there is no way in. Prints what was answered, and how it ended."""
    try:
        with connect() as s:
            s.send(HELLO)
            answer = receive(s)
            if answer:
                s.send(url(text("https://claude.ai/forged")))
                answer += receive(s)
            print(answer.decode(errors="replace") or "hung up")
    except OSError as e:
        print(f"refused: {os.strerror(e.errno)}")


{"malformed": malformed, "silent": silent, "deaf": deaf, "flood": flood, "forged": forged}[mode]()
