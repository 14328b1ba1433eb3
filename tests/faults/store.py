"""A store of known objects that can be slow, and that answers badly by chance of a seed. Run as a program.

Reads its orders as JSON from the command line: `seed`, `objects` (name to size), `rate` (bytes per second and
connection), `share` (of requests that get a fault) and `log` (where each request is written down). Says its address on
the first line it prints. `GET /?orders` tells all objects, `PUT /?orders` changes orders while it runs.
"""

import asyncio
import contextlib
import hashlib
import json
import random
import re
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

CHUNK = 32_768
POOL = 4_999_999
"""Bytes that all objects are cut from; a prime, so that no block of a usual size fits twice."""


@dataclass(frozen=True)
class Fault:
    """One way to answer badly."""

    name: str
    needs: str = ""
    """`resume`: only requests for the rest; `whole`: only others; `checksum`: only objects whose damage can be seen."""
    limit: str = ""
    """Faults of one such group are rightly given up when they repeat; `denied` may come again after a good reply."""
    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    cut: bool = False
    """Whether the body ends too early."""


XML = b"<?xml version='1.0'?><Error><Code>%s</Code><Message>m</Message></Error>"
LIMITS = {"range": 2, "changed": 3, "length": 1, "damaged": 1, "denied": 1, "unreadable": 2}

FAULTS = (
    Fault("closed before the reply"),
    Fault("reset before the reply"),
    Fault("closed within the headers"),
    Fault("silence"),
    Fault("silence within the body", cut=True),
    Fault("closed within the body", cut=True),
    Fault("reset within the body", cut=True),
    Fault("closed before the last byte", cut=True),
    Fault("too long a length", "whole", "length"),
    Fault("no length and cut", "", "length", cut=True),
    Fault("chunks that end too early", cut=True),
    Fault("not HTTP", "", "unreadable"),
    Fault("headers without end", "", "unreadable"),
    Fault("a body nobody asked for in front", "", "unreadable"),
    Fault("compressed", "", "unreadable", headers=(("Content-Encoding", "gzip"),)),
    Fault("200", "resume"),
    Fault("200 and cut", "resume", cut=True),
    Fault("other bytes", "resume", "range"),
    Fault("other total", "resume", "range"),
    Fault("no Content-Range", "resume", "range"),
    Fault("416", "resume", "range"),
    Fault("412", "resume", "changed", status=412),
    Fault("another version", "resume", "changed"),
    Fault("a new version within the body", "", "changed", cut=True),
    Fault("a byte is wrong", "checksum", "damaged"),
    Fault("too short a length", "whole", "length"),
    Fault("403 expired", "", "denied", 403, body=XML % b"ExpiredToken"),
    Fault("400 expired", "", "denied", 400, body=XML % b"ExpiredToken"),
    Fault("401", "", "denied", 401),
    Fault("408", status=408, headers=(("Connection", "close"),)),
    Fault("429", status=429, headers=(("Retry-After", "2"),)),
    Fault("500", status=500, body=XML % b"InternalError"),
    Fault("503 slow down", status=503, body=XML % b"SlowDown"),
    Fault("503 with a date", status=503, headers=(("Retry-After", "Wed, 21 Oct 2015 07:28:00 GMT"),)),
    Fault("504", status=504, body=b"<html>Gateway timeout</html>"),
    Fault("a login page", "", "unreadable", 200, (("Content-Type", "text/html"),), b"<html>Please log in</html>"),
)


@cache
def pool(seed: int) -> bytes:
    return random.Random(seed).randbytes(POOL)


@dataclass
class Object:
    """An object and all its versions so far."""

    seed: int
    name: str
    size: int
    version: int = 1
    has_checksum: bool = True
    digests: list[str] = field(default_factory=list)
    """SHA-256 of each version."""

    def __post_init__(self) -> None:
        self.renew(self.version)

    def renew(self, version: int) -> None:
        self.version = version
        start = random.Random(f"{self.seed} {self.name} {version}").randrange(POOL)
        data = (pool(self.seed)[start:] + pool(self.seed) * (self.size // POOL + 1))[: self.size]
        self.bytes = data
        self.md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
        self.etag = f'"{hashlib.sha256(f"{self.name} {version}".encode()).hexdigest()}"'
        self.digests.append(hashlib.sha256(data).hexdigest())

    def told(self) -> dict[str, Any]:
        md5 = self.md5 if self.has_checksum else ""
        return {"size": self.size, "md5": md5, "etag": self.etag, "digests": self.digests}


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes = b""
    start: int = 0


class Store:
    def __init__(self, orders: dict[str, Any]) -> None:
        self.seed = int(orders["seed"])
        self.objects = {
            name: Object(self.seed, name, size, has_checksum=not name.startswith("plain"))
            for name, size in orders["objects"].items()
        }
        self.rate = orders.get("rate", 0)
        self.share = orders.get("share", 0.0)
        self.drops: list[int] = orders.get("drops", [])
        """Places in an object at which the connection is lost once."""
        self.random = random.Random(self.seed)
        self.counts: Counter[str] = Counter()
        self.limits: dict[str, Counter[str]] = defaultdict(Counter)
        self.asked = 0
        self.log = Path(orders["log"]).open("a", encoding="utf-8")  # noqa: SIM115 - open as long as the program runs

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, ValueError):
            while await self.one(reader, writer):
                pass
        writer.close()

    async def one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ", 2)
        headers = {line.partition(":")[0].lower(): line.partition(":")[2].strip() for line in head[1:] if line}
        if target == "/?orders":
            return await self.obey(method, await reader.readexactly(int(headers.get("content-length", 0))), writer)
        self.asked += 1
        name = target.partition("?")[0].lstrip("/")
        entry: dict[str, Any] = {"method": method, "target": target, "name": name, "headers": headers, "sent": 0}
        try:
            return await self.answer(self.objects[name], headers, entry, writer)
        finally:
            self.log.write(json.dumps(entry) + "\n")
            self.log.flush()

    async def obey(self, method: str, body: bytes, writer: asyncio.StreamWriter) -> bool:
        if method == "PUT":
            orders = json.loads(body)
            self.rate = orders.get("rate", self.rate)
            self.share = orders.get("share", self.share)
            self.drops = orders.get("drops", self.drops)
            if orders.get("forget"):
                self.limits.clear()
        objects = {item.name: item.told() for item in self.objects.values()}
        told = {"objects": objects, "counts": dict(self.counts), "asked": self.asked}
        data = json.dumps(told).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(data) + data)
        await writer.drain()
        return False

    async def answer(
        self, item: Object, headers: dict[str, str], entry: dict[str, Any], writer: asyncio.StreamWriter
    ) -> bool:
        reply = good(item, headers)
        entry.update(status=reply.status, start=reply.start, etag=item.etag)
        fault = self.choose(item, headers)
        if fault is not None:
            entry["fault"] = fault.name
            self.counts[fault.name] += 1
            return await self.misbehave(fault, item, reply, entry, writer)
        send_head(writer, reply.status, {"Content-Length": str(len(reply.body)), **reply.headers})
        drop = next((place for place in self.drops if reply.start < place < reply.start + len(reply.body)), None)
        if drop is not None:
            self.drops.remove(drop)
            await self.send(writer, reply.body[: drop - reply.start], entry)
            return False
        await self.send(writer, reply.body, entry)
        return True

    def choose(self, item: Object, headers: dict[str, str]) -> Fault | None:
        resumes = headers.get("range", "bytes=0-0") != "bytes=0-0" and "bytes=0-" not in headers["range"]
        counted = self.limits[item.name]
        if self.random.random() >= self.share:
            counted["denied"] = 0
            return None
        wanted = [
            fault
            for fault in FAULTS
            if (fault.needs not in ("resume", "whole") or resumes is (fault.needs == "resume"))
            and (fault.needs != "checksum" or item.has_checksum)
            and (not fault.limit or counted[fault.limit] < LIMITS[fault.limit])
        ]
        # Those that were rare so far first, so that all kinds come.
        rarest = min(self.counts[fault.name] for fault in wanted)
        fault = self.random.choice([fault for fault in wanted if self.counts[fault.name] <= rarest + 2])
        counted[fault.limit] += 1
        return fault

    async def misbehave(
        self, fault: Fault, item: Object, reply: Reply, entry: dict[str, Any], writer: asyncio.StreamWriter
    ) -> bool:
        if fault.status:
            length = {"Content-Length": str(len(fault.body))}
            send_head(writer, fault.status, {**length, **dict(fault.headers)})
            writer.write(fault.body)
            await writer.drain()
            return "Connection" not in dict(fault.headers)
        if await self.misbehave_early(fault, writer):
            return False
        size, body = len(reply.body), reply.body
        head = {"Content-Length": str(size), **reply.headers, **dict(fault.headers)}
        status, head, body = spoil(fault, item, reply, head, self.random)
        if fault.cut:
            body = body[: -1 if "last byte" in fault.name else self.random.randrange(max(len(body), 1))]
        send_head(writer, status, head)
        if head.get("Transfer-Encoding"):
            body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        await self.send(writer, body, entry)
        if fault.name.startswith("silence"):
            await asyncio.sleep(5)
        if fault.name.startswith("reset"):
            abort(writer)
        if "new version" in fault.name:
            item.renew(item.version + 1)
        return False

    async def misbehave_early(self, fault: Fault, writer: asyncio.StreamWriter) -> bool:
        """Whether that was all of the answer."""
        match fault.name:
            case "closed before the reply":
                return True
            case "reset before the reply":
                abort(writer)
                return True
            case "closed within the headers":
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Len")
            case "silence":
                await asyncio.sleep(5)
                return True
            case "not HTTP":
                writer.write(b"\x15\x03\x03\x00\x02\x02\x28 no such thing\r\n\r\n")
            case "headers without end":
                writer.write(b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: x\r\n" % number for number in range(400)))
            case "a body nobody asked for in front":
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\nbytes of another reply\r\n\r\n")
            case _:
                return False
        await writer.drain()
        return True

    async def send(self, writer: asyncio.StreamWriter, body: bytes, entry: dict[str, Any]) -> None:
        for place in range(0, len(body), CHUNK):
            piece = body[place : place + CHUNK]
            writer.write(piece)
            await writer.drain()
            entry["sent"] += len(piece)
            if self.rate:
                await asyncio.sleep(len(piece) / self.rate)


def good(item: Object, headers: dict[str, str]) -> Reply:
    told = {"ETag": item.etag, "Accept-Ranges": "bytes"}
    if headers.get("if-match", item.etag) != item.etag:
        return Reply(412, told)
    found = re.fullmatch(r"bytes=(\d+)-(\d*)", headers.get("range", ""))
    if not found:
        return Reply(200, told, item.bytes)
    start = int(found[1])
    if start >= item.size:
        return Reply(416, told | {"Content-Range": f"bytes */{item.size}"})
    body = item.bytes[start : int(found[2]) + 1 if found[2] else None]
    told["Content-Range"] = f"bytes {start}-{start + len(body) - 1}/{item.size}"
    return Reply(206, told, body, start)


def spoil(
    fault: Fault, item: Object, reply: Reply, head: dict[str, str], chance: random.Random
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body with the fault in them."""
    body, size = reply.body, len(reply.body)
    match fault.name:
        case "too long a length":
            head["Content-Length"] = str(size + 999)
        case "too short a length":
            return reply.status, head | {"Content-Length": str(size // 2)}, body[: size // 2]
        case "no length and cut":
            del head["Content-Length"]
        case "chunks that end too early":
            del head["Content-Length"]
            head["Transfer-Encoding"] = "chunked"
        case "200" | "200 and cut":
            head.pop("Content-Range", None)
            return 200, head | {"Content-Length": str(item.size)}, item.bytes
        case "other bytes":
            start = max(reply.start - chance.randrange(1, 70_000), 0)
            span = f"bytes {start}-{item.size - 1}/{item.size}"
            return 206, head | {"Content-Range": span, "Content-Length": str(item.size - start)}, item.bytes[start:]
        case "other total":
            head["Content-Range"] = f"bytes {reply.start}-{item.size + 7}/{item.size + 8}"
        case "no Content-Range":
            head.pop("Content-Range", None)
        case "416":
            return 416, {"Content-Range": f"bytes */{item.size}", "Content-Length": "0"}, b""
        case "another version":
            item.renew(item.version + 1)
            head["ETag"] = item.etag
            body = item.bytes[reply.start :]
        case "a byte is wrong" if size:
            place = chance.randrange(size)
            body = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
    return reply.status, head, body


def abort(writer: asyncio.StreamWriter) -> None:
    writer.get_extra_info("socket").setsockopt(1, 13, b"\1\0\0\0\0\0\0\0")  # SOL_SOCKET, SO_LINGER: with a reset


def send_head(writer: asyncio.StreamWriter, status: int, headers: dict[str, str]) -> None:
    lines = [f"HTTP/1.1 {status} Whatever", *(f"{name}: {value}" for name, value in headers.items())]
    writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))


async def main(orders: dict[str, Any]) -> None:
    store = Store(orders)
    server = await asyncio.start_server(store.serve, "127.0.0.1", 0)
    sys.stdout.write(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    # Ends with whoever started it, however that ends.
    await asyncio.to_thread(sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
