"""Contact Center calls that exist only as six small numbers; everything else about them follows from these.

A million of them fit into a table that is filled in half a second, because names, tags, ids and even the bytes of the
recording are worked out when somebody looks at one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import TypeAlias

from cloudstore_tui.sandbox.eightbyeight.body import Body, call_body
from cloudstore_tui.sandbox.eightbyeight.people import AGENTS, CUSTOMER_ID, PBX, QUEUES, TENANT, customer
from cloudstore_tui.sandbox.eightbyeight.record import Record

TYPE = "callcenterrecording"
UPLOAD_LAG = 997
"""A call ends less than this many milliseconds before its object is created."""

OUTBOUND = 1
"""Bit of `Call.mark`: an agent called the customer."""

_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_TOKEN = bytes(_LETTERS[byte % len(_LETTERS)] for byte in range(256))


@dataclass(frozen=True, slots=True)
class Call:
    """One recorded call: a row of the table `generated`."""

    created: int
    """Epoch milliseconds, a whole second, and different for all calls of a region: the number of the call."""
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
        """Who called whom."""
        return bool(self.mark & OUTBOUND)


Value: TypeAlias = str | int

COLUMNS = "created, duration, agent, queue, customer, mark"
"""The columns of a call in the order of its fields."""


def _digest(created: int, use: str) -> bytes:
    return blake2b(f"{use}:{created}".encode(), digest_size=25).digest()


def _uuid(created: int, use: str) -> str:
    """A UUID that begins with the time, so that sorting by it is sorting by time and its call can be found again."""
    time, noise = f"{created:012x}", _digest(created, use).hex()
    return f"{time[:8]}-{time[8:]}-7{noise[:3]}-9{noise[3:6]}-{noise[6:18]}"


def created_of(uuid: str) -> int | None:
    """The number of the call that an id or bucket id would belong to."""
    digits = uuid[:8] + uuid[9:13]
    try:
        return int(digits, 16)
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def call_id(call: Call) -> str:
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


def _ends(call: Call) -> tuple[tuple[str, str], tuple[str, str]]:
    """Name and number of who called, then of who was called."""
    person, queue = customer(call.customer), QUEUES[call.queue]
    theirs, ours = (person.name, person.phone), (queue.name, queue.line)
    return (ours, theirs) if call.outbound else (theirs, ours)


TAGS: Mapping[str, Callable[[Call], Value]] = {
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
"""Every tag of a Contact Center recording, in the order that the service prints them."""

FIELDS: Mapping[str, Callable[[Call], Value]] = {
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
"""Fields and tags that are the same for all calls."""


def value_of(call: Call, name: str) -> Value | None:
    """The value of a field or tag by the name that filters use."""
    maker = FIELDS.get(name) or TAGS.get(name)
    return None if maker is None else maker(call)


def body_of(call: Call) -> Body:
    """The recording: every fifth is stored as one part of a multi-part upload, which shows in its checksum."""
    return call_body(call.duration // 1000, call_id(call), parts=call.created // 1000 % 5 == 0)


def record_of(call: Call, region: str) -> Record:
    """The object of a call."""
    body = body_of(call)
    text = {name: str(FIELDS[name](call)) for name in ("id", "mimeType", "objectName", "userId", "bucketId")}
    return Record(
        id=text["id"],
        region=region,
        type=TYPE,
        mime=text["mimeType"],
        name=text["objectName"],
        customer_id=CUSTOMER_ID,
        user_id=text["userId"],
        bucket_id=text["bucketId"],
        created=call.created,
        updated=call.created + 2000,
        body=body,
        tags=tuple((key, str(maker(call))) for key, maker in TAGS.items()),
        checksum=body.checksum,
        size=body.size,
    )
