"""The data model of the service: objects and their bytes, buckets, people, and calls generated from six numbers."""

import struct
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache, cached_property, lru_cache
from hashlib import blake2b, md5
from typing import Any, Protocol, Self, TypeAlias

import msgspec

from cloudstore_tui.sandbox.content import MP3_FRAME, Recording, frames_in

# The sound of all calls: one conversation, of which a call of N seconds has the first N


LONGEST_CALL_S = 1300
"""Seconds of the longest call."""


def sound_size(seconds: int) -> int:
    """Bytes of the frames for a duration."""
    return frames_in(seconds) * MP3_FRAME


@cache
def call_sound() -> bytes:
    """All frames of the longest call."""
    whole = Recording("mp3", LONGEST_CALL_S)
    return b"".join(whole.read(whole.size - sound_size(LONGEST_CALL_S)))


# The bytes of an object, which are generated when read, so that a million recordings need no files


_CHUNK = 262_144
_ZEROS = bytes(_CHUNK)


class _Hash(Protocol):
    def copy(self) -> Self: ...

    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...

    def hexdigest(self) -> str: ...


class ObjectBody(msgspec.Struct, frozen=True, dict=True):
    """Sound, then data, then zeros; most bodies have one or two of these only."""

    sound: int = 0
    """Bytes of the sound at its beginning."""
    data: bytes = b""
    zeros: int = 0
    part: int = 0
    """Part size of a multipart upload, which affects the checksum; 0 for a single upload."""

    @property
    def size(self) -> int:
        return self.sound + len(self.data) + self.zeros

    @cached_property
    def checksum(self) -> str:
        """MD5 of the bytes; for an upload in parts MD5 of the digests of the parts, and their number."""
        if not self.part:
            return self._hash(0, self.size).hexdigest()
        starts = range(0, self.size, self.part) or (0,)
        digests = b"".join(self._part_digest(start) for start in starts)
        return f"{md5(digests, usedforsecurity=False).hexdigest()}-{len(starts)}"

    def read(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The bytes from `start` to before `end`, in chunks."""
        stop = self.size if end is None else min(end, self.size)
        while start < stop:
            chunk = self._chunk(start, min(stop, start + _CHUNK))
            start += len(chunk)
            yield chunk

    def _chunk(self, start: int, end: int) -> bytes:
        """At least one byte from `start` on."""
        if start < self.sound:
            return call_sound()[start : min(end, self.sound)]
        start, end = start - self.sound, end - self.sound
        if start < len(self.data):
            return self.data[start:end]
        return _ZEROS[: end - start]

    def _part_digest(self, start: int) -> bytes:
        end = min(start + self.part, self.size)
        if start >= self.sound + len(self.data):
            return _zero_digest(end - start)
        return self._hash(start, end).digest()

    def _hash(self, start: int, end: int) -> _Hash:
        hashed: _Hash
        if start == 0 and self.sound and end >= self.sound:
            hashed, start = _sound_hashes()[self.sound].copy(), self.sound
        else:
            hashed = md5(usedforsecurity=False)
        for chunk in self.read(start, end):
            hashed.update(chunk)
        return hashed


def call_body(seconds: int, title: str, *, parts: bool) -> ObjectBody:
    """The recording of a call: the common sound, and a label that makes its checksum unique."""
    return ObjectBody(sound=sound_size(seconds), data=_label(title), part=5 * 2**20 if parts else 0)


def _label(title: str) -> bytes:
    """An ID3v1 tag: the 128 bytes at the end of an MP3 that players read the title from."""
    text = title.encode("latin-1", "replace")
    return (
        b"TAG"
        + text[4:34].ljust(30, b"\0")
        + b"Sandbox".ljust(30, b"\0")
        + text[34:64].ljust(34, b"\0")
        + text[64:94].ljust(30, b"\0")
        + b"\xff"
    )


@cache
def _sound_hashes() -> Mapping[int, _Hash]:
    """The state of the hash after the sound of each length, so that a checksum costs one label only."""
    sound, running = call_sound(), md5(usedforsecurity=False)
    states: dict[int, _Hash] = {}
    done = 0
    for seconds in range(LONGEST_CALL_S + 1):
        size = sound_size(seconds)
        running.update(sound[done:size])
        states[size], done = running.copy(), size
    return states


@lru_cache(maxsize=16)
def _zero_digest(size: int) -> bytes:
    return md5(bytes(size), usedforsecurity=False).digest()


# Video


BYTES_PER_SECOND = 7_250
"""The rate of the service's own screen recordings."""

_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)


def film(seconds: int, size: int, part: int = 0) -> ObjectBody:
    """A video of a given duration and size, uploaded in parts of `part` bytes if that is not 0."""
    head = _box(b"ftyp", b"isom\0\0\x02\0isomiso2mp41") + _box(b"moov", _box(b"mvhd", _movie(seconds)))
    data = head + struct.pack(">I", size - len(head)) + b"mdat"
    return ObjectBody(data=data, zeros=size - len(data), part=part)


def _box(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload) + 8) + kind + payload


def _movie(seconds: int) -> bytes:
    times = struct.pack(">5I", 0, 0, 0, 1000, seconds * 1000)
    return times + struct.pack(">IH10x", 0x10000, 0x100) + _MATRIX + bytes(24) + struct.pack(">I", 1)


# The agents, queues and customers of the company


TENANT = "acmecorp01"
CUSTOMER_ID = "0012J00002KTQJYQA5"
PBX = "acmepbx"


class Agent(msgspec.Struct, frozen=True):
    """An agent, who takes calls."""

    name: str
    id: str
    """As in tags, some of which prefix it with `ag`."""
    user_id: str
    extension: int

    @property
    def email(self) -> str:
        """A mail address that does not exist."""
        return f"{'.'.join(part for part in self.name.lower().replace(',', ' ').split())}@acme.example".replace("'", "")


class Queue(msgspec.Struct, frozen=True):
    """A queue, in which calls wait."""

    name: str
    number: int
    channel: str
    line: str
    """The number that customers dial."""


class Customer(msgspec.Struct, frozen=True):
    """The other end of a call."""

    name: str
    phone: str


_AGENTS = (
    *("Abena Osei", "Ada Lindqvist", "Aiko Tanaka", "Alejandro Ruiz", "Amara Nwosu", "Anaïs Laurent", "Anil Mehta"),
    *("Bartosz Nowak", "Bronwyn Hughes", "Carmen Delgado", "Chidi Okafor", "Dilnoza Karimova", "Eero Virtanen"),
    *("Fatima Zahra", "Finn O'Brien", "Giulia Conti", "Grace Kimani", "Hamza Siddiqui", "Beatriz Carvalho"),
    *("Jonas Weber", "Kavya Iyer", "Khang Glynn", "Lena Fischer", "Liam Doyle", "Lucía Fernández", "M,DENNIS"),
    *("Mei-Ling Chen", "Milan Horvat", "Nadia Petrova", "Ngozi Eze", "Noor van Dijk", "Olu Adeyemi", "Oskar Lund"),
    *("Paola Rossi", "Priya Raman", "Quinn Harper", "Rafael Souza", "Rosa Marín", "Saoirse Byrne", "Sipho Dlamini"),
    *("Sven Eriksson", "Tariq Aziz", "Tomás Vidal", "Uma Krishnan", "Vera Novak", "Wanjiru Maina", "Yusuf Demir"),
    "Zofia Wójcik",
)

# Sorted by name, because listings are sorted by the position instead of the name.
AGENTS = tuple(
    Agent(
        name,
        f"ag{index * 37 + 11}TqWz{index:02d}",
        f"TMZIdbKz{index * 7919 % 100_000:05d}_04IC9L{index:02d}",
        2001 + index,
    )
    for index, name in enumerate(sorted(_AGENTS))
)

QUEUES = tuple(
    Queue(name, 101 + index, channel, f"+1669555{9100 + index}")
    for index, (name, channel) in enumerate(
        [
            ("Billing", "billing-main"),
            ("Bookings", "bookings"),
            ("Collections", "billing-late"),
            ("Complaints", "care"),
            ("Level 1", "support-main"),
            ("Level 2", "support-main"),
            ("Level 3", "support-escalation"),
            ("Onboarding", "sales-new"),
            ("Renewals", "sales-renewal"),
            ("Sales  EMEA", "sales-emea"),
        ]
    )
)

CUSTOMERS = 4_000
"""Number of customers."""

_FIRST = (
    *("AARON", "BELLA", "CARLOS", "DENNIS", "ELENA", "FRANK", "GRETA", "HUGO", "IRENE", "JAMAL", "KAREN", "LOUIS"),
    *("MARIA", "NEIL", "OLGA", "PEDRO", "QUENTIN", "RUTH", "SAMUEL", "TERESA"),
)
_LAST = (
    *("ABBOTT", "BAKER", "CHAVEZ", "DIAZ", "EVANS", "FLORES", "GIBSON", "HUANG", "IQBAL", "JENSEN", "KAPOOR", "LEWIS"),
    *("MORALES", "NGUYEN", "OWENS", "PATEL", "QUIROZ", "RAMSEY", "SUAREZ", "TRAN"),
)
_STATES = ("CA", "NY", "TX", "WA", "IL", "FL", "AZ", "GA", "OH", "MA")


@cache
def customer(index: int) -> Customer:
    """One customer; every eighth is only known as the network shows an unknown mobile."""
    phone = f"+1669555{2000 + index:04d}"
    if index % 8 == 7:
        return Customer(f"Cell Phone   {_STATES[index // 8 % len(_STATES)]}", phone)
    first, last = _FIRST[index % len(_FIRST)], _LAST[index // len(_FIRST) % len(_LAST)]
    return Customer(f"{last},{first}", phone)


# Objects, and their JSON form


OBJECT_FIELDS: Mapping[str, str] = {
    "id": "id",
    "type": "type",
    "mimeType": "mime",
    "objectName": "name",
    "checksumType": "checksum_type",
    "checksum": "checksum",
    "customerId": "customer_id",
    "userId": "user_id",
    "storedBytes": "size",
    "createdTime": "created",
    "updatedTime": "updated",
    "objectState": "state",
    "bucketId": "bucket_id",
}
"""The content fields in the service's order, and the attributes of a `Record` that hold them."""

_OLD_TYPES = frozenset({"calladditionalfields", "chattranscription", "cm-report", "statehistory", "tcltransactions"})
"""The oldest types, whose JSON still follows the first schema, with values of other types."""


class Record(msgspec.Struct, frozen=True):
    """One object of one region."""

    id: str
    region: str
    type: str
    mime: str
    name: str
    customer_id: str
    user_id: str
    bucket_id: str
    created: int
    """Epoch milliseconds, as `updated`."""
    updated: int
    body: ObjectBody
    tags: tuple[tuple[str, str], ...] = ()
    """In order; keys may repeat."""
    state: str = "AVAILABLE"
    checksum: str = ""
    checksum_type: str = "MD5"
    size: int = 0
    """`storedBytes`."""

    def tag(self, key: str) -> str | None:
        """The first value of a tag."""
        return next((value for name, value in self.tags if name == key), None)

    def value(self, name: str) -> str | int | None:
        """The value of a content field or of a tag, by the name that filters use."""
        found = self.fields().get(name)
        return self.tag(name) if found is None else found

    def fields(self) -> Mapping[str, str | int]:
        """The content fields by the names that filters use, times in epoch milliseconds."""
        return {name: getattr(self, attribute) for name, attribute in OBJECT_FIELDS.items()}

    def as_json(self) -> dict[str, Any]:
        """The JSON form: times without zone, tags as a list, numbers mostly as numbers."""
        old = self.type in _OLD_TYPES
        shown: dict[str, Any] = dict(self.fields())
        shown["createdTime"] = iso(self.created)
        shown["updatedTime"] = self.updated if old else iso(self.updated)
        shown["storedBytes"] = str(self.size) if old else self.size
        if not self.user_id:
            del shown["userId"]
        shown["tags"] = [
            {"id": f"{self.id[:8]}-{index}", "key": key, "value": value} if old else {"key": key, "value": value}
            for index, (key, value) in enumerate(self.tags)
        ]
        return shown if old else {**shown, "shared": False}


def iso(moment: int) -> str:
    """Epoch milliseconds in ISO 8601: whole seconds of UTC, without a zone."""
    return datetime.fromtimestamp(moment // 1000, UTC).isoformat()[:19]


# Buckets, which group the objects of an interaction


class Bucket(msgspec.Struct, frozen=True):
    """One bucket with its objects."""

    id: str
    name: str
    customer_id: str
    user_id: str
    created: int
    """Epoch milliseconds, as `updated`."""
    updated: int
    tags: tuple[tuple[str, str], ...]
    objects: tuple[Record, ...]

    @classmethod
    def around(cls, objects: tuple[Record, ...]) -> "Bucket":
        """The bucket of some objects, described by the first of them."""
        first = objects[0]
        name = first.tag("callId") or first.name
        tags = tuple((key, value) for key in ("callId", "tenantId") if (value := first.tag(key)))
        return cls(first.bucket_id, name, first.customer_id, first.user_id, first.created, first.updated, tags, objects)

    def as_json(self) -> dict[str, Any]:
        """The JSON form, in which its own id is called `bucketId`."""
        return {
            "bucketId": self.id,
            "name": self.name,
            "customerId": self.customer_id,
            "userId": self.user_id,
            "createdTime": iso(self.created),
            "updatedTime": iso(self.updated),
            "tags": [{"key": key, "value": value} for key, value in self.tags],
            "objectList": [record.as_json() for record in self.objects],
        }


# Generated Contact Center calls: six small numbers, from which everything else follows


TYPE = "callcenterrecording"
UPLOAD_LAG = 997
"""A call ends less than this many milliseconds before its object is created."""

OUTBOUND = 1
"""Bit of `GeneratedCall.mark`: an agent called the customer."""

_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_TOKEN = bytes(_LETTERS[byte % len(_LETTERS)] for byte in range(256))


class GeneratedCall(msgspec.Struct, frozen=True):
    """One recorded call: a row of the table `generated`."""

    created: int
    """Epoch milliseconds, whole seconds; identifies the call, since no two calls of a region share it."""
    duration: int
    """Milliseconds, a whole second."""
    agent: int
    queue: int
    customer: int
    mark: int
    """Bits."""

    @property
    def start(self) -> int:
        """When it began; the object is created shortly after its end."""
        return self.created - self.duration - self.created // 1000 % UPLOAD_LAG

    @property
    def outbound(self) -> bool:
        """Whether the call is outbound or inbound."""
        return bool(self.mark & OUTBOUND)


Value: TypeAlias = str | int

COLUMNS = "created, duration, agent, queue, customer, mark"
"""The columns of a call in the order of its fields."""


def _digest(created: int, use: str) -> bytes:
    return blake2b(f"{use}:{created}".encode(), digest_size=25).digest()


def _uuid(created: int, use: str) -> str:
    """A UUID that begins with the time, so that it sorts by time and leads back to its call."""
    time, noise = f"{created:012x}", _digest(created, use).hex()
    return f"{time[:8]}-{time[8:]}-7{noise[:3]}-9{noise[3:6]}-{noise[6:18]}"


def created_of(uuid: str) -> int | None:
    """The `created` of the call with an id or bucket id; `None` if it is not of a generated call."""
    digits = uuid[:8] + uuid[9:13]
    try:
        return int(digits, 16)
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def call_id(call: GeneratedCall) -> str:
    """The id that all objects of the call share."""
    token = _digest(call.created, "call").translate(_TOKEN).decode()
    return f"int-{call.start:x}-{token}-phone-{call.agent % 4:02d}-{TENANT}"


def start_of(call: str) -> int | None:
    """When the call with an id began."""
    parts = call.split("-")
    try:
        return int(parts[1], 16) if parts[0] == "int" and len(parts) > 2 else None
    except ValueError:
        return None


def _ends(call: GeneratedCall) -> tuple[tuple[str, str], tuple[str, str]]:
    """Name and number of who called, then of who was called."""
    person, queue = customer(call.customer), QUEUES[call.queue]
    theirs, ours = (person.name, person.phone), (queue.name, queue.line)
    return (ours, theirs) if call.outbound else (theirs, ours)


TAGS: Mapping[str, Callable[[GeneratedCall], Value]] = {
    "callId": call_id,
    "ipbxid": lambda _: PBX,
    "address": lambda call: customer(call.customer).phone,
    "agentId": lambda call: AGENTS[call.agent].id,
    "branchId": lambda _: "hq",
    "calleeId": lambda call: _ends(call)[1][1],
    "callerId": lambda call: _ends(call)[0][1],
    "duration": lambda call: call.duration,
    "mediaUrl": lambda call: f"recordings/{TENANT}/{call_id(call)}.mp3",
    "tenantId": lambda _: TENANT,
    "agentName": lambda call: AGENTS[call.agent].name,
    "direction": lambda call: "OUTBOUND" if call.outbound else "INBOUND",
    "queueName": lambda call: QUEUES[call.queue].name,
    "startTime": lambda call: call.start,
    "calleeName": lambda call: _ends(call)[1][0],
    "callerName": lambda call: _ends(call)[0][0],
    "channelName": lambda call: QUEUES[call.queue].channel,
    "queueNumber": lambda call: QUEUES[call.queue].number,
    "holdDuration": lambda call: call.duration // 9000 * 1000,
    "callSnippetId": lambda call: _uuid(call.created, "snippet"),
    "transactionId": lambda call: call.created // 1000 - 1_600_000_000,
    "extensionNumber": lambda call: AGENTS[call.agent].extension,
    "billingTelephoneNumber": lambda call: QUEUES[call.queue].line,
}
"""Every tag of a Call recording, in the order that the service prints them."""

FIELDS: Mapping[str, Callable[[GeneratedCall], Value]] = {
    "id": lambda call: _uuid(call.created, "object"),
    "type": lambda _: TYPE,
    "mimeType": lambda _: "audio/mpeg",
    "objectName": lambda call: f"{call_id(call)}.mp3",
    "checksumType": lambda _: "MD5",
    "checksum": lambda call: body_of(call).checksum,
    "customerId": lambda _: CUSTOMER_ID,
    "userId": lambda call: AGENTS[call.agent].user_id,
    "storedBytes": lambda call: body_of(call).size,
    "createdTime": lambda call: call.created,
    "updatedTime": lambda call: call.created + 2000,
    "objectState": lambda _: "AVAILABLE",
    "bucketId": lambda call: _uuid(call.created, "bucket"),
}
"""Every content field."""


CONSTANTS = frozenset(
    ("ipbxid", "branchId", "tenantId", "type", "mimeType", "checksumType", "customerId", "objectState")
)
"""Fields and tags that are equal for all calls."""


def value_of(call: GeneratedCall, name: str) -> Value | None:
    """The value of a field or tag by the name that filters use."""
    maker = FIELDS.get(name) or TAGS.get(name)
    return None if maker is None else maker(call)


def body_of(call: GeneratedCall) -> ObjectBody:
    """The recording: every fifth is stored as one part of a multi-part upload, which shows in its checksum."""
    return call_body(call.duration // 1000, call_id(call), parts=call.created // 1000 % 5 == 0)


def record_of(call: GeneratedCall, region: str) -> Record:
    """The object of a call."""
    fields: dict[str, Any] = {OBJECT_FIELDS[name]: maker(call) for name, maker in FIELDS.items()}
    tags = tuple((key, str(maker(call))) for key, maker in TAGS.items())
    return Record(**fields, region=region, body=body_of(call), tags=tags)
