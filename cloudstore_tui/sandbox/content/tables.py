"""CSV files of a contact centre: plausible columns and rows.

All rows of a table have the same width, so the size of a file with a million rows is known without making it: every
number has a fixed count of digits, and every word of a column the same length.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

_AGENTS = ("kglynn1", "aruiz22", "mtanaka", "oadeyem", "pnair31", "thughes", "lvogt07", "sobrien")
_QUEUES = ("billing", "support", "renewal", "service", "loyalty", "bookers")
_OUTCOMES = ("resolved", "callback", "noanswer", "declined", "promised", "transfer")
_STATES = ("avail", "talks", "wraps", "break", "train")
_CAMPAIGNS = ("spring-renewals", "late-payments-1", "late-payments-2", "survey-followup")
_FIRST = ("Elena", "Frank", "Greta", "Irene", "Jamal", "Karen", "Louis", "Maria")
_LAST = ("Chavez", "Flores", "Gibson", "Jensen", "Kapoor", "Nguyen", "Quiroz", "Suarez")
_ZONES = ("America/New_York", "America/Winnipeg", "America/Edmonton")
_RESULTS = ("loaded", "failed", "merged")


@dataclass(frozen=True, slots=True)
class Table:
    """The shape of one CSV file."""

    header: str
    width: int
    """Bytes of a row with its line end."""
    row: Callable[[Random, int, datetime], str]
    """A row, from its number and the day that the file is about."""
    end: str = "\r\n"

    def size(self, rows: int) -> int:
        """Bytes of a file with so many rows."""
        return len(self.header) + len(self.end) + rows * self.width

    def make(self, seed: str, rows: int, day: datetime) -> bytes:
        """A file with so many rows, the same for the same arguments."""
        chance = Random(seed)
        lines = [self.header, *(self.row(chance, number, day) for number in range(rows)), ""]
        return self.end.join(lines).encode("ascii")


def _moment(chance: Random, day: datetime) -> str:
    second = int(chance.random() * 86_400)
    return f"{day:%Y-%m-%d}T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}Z"


def _digits(chance: Random, count: int) -> int:
    """A number of exactly so many digits."""
    least: int = 10 ** (count - 1)
    return least + int(chance.random() * 9 * least)


def _pick(chance: Random, words: tuple[str, ...]) -> str:
    return words[int(chance.random() * len(words))]


def _call(chance: Random, number: int, day: datetime) -> str:
    return (
        f"{day:%y%m%d}{number:06d},{_moment(chance, day)},{_pick(chance, _QUEUES)},{_pick(chance, _AGENTS)},"
        f"+1669555{_digits(chance, 4)},{_digits(chance, 3)},{_digits(chance, 2)},{_pick(chance, _OUTCOMES)}"
    )


def _activity(chance: Random, number: int, day: datetime) -> str:
    shown = day + timedelta(minutes=15 * (number % 96))
    return f"{shown:%Y-%m-%dT%H:%M:%SZ},{_pick(chance, _AGENTS)},{_pick(chance, _STATES)},{_digits(chance, 3)}"


def _campaign(chance: Random, number: int, day: datetime) -> str:
    name = _CAMPAIGNS[number % len(_CAMPAIGNS)]
    return (
        f"{day:%Y-%m-%d},{name},{number // len(_CAMPAIGNS) % 100:02d},{_digits(chance, 4)},{_digits(chance, 3)},"
        f"{chance.random() * 0.09 + 0.01:.4f}"
    )


def _interval(chance: Random, number: int, day: datetime) -> str:
    shown = day + timedelta(minutes=number % 60)
    return (
        f"{shown:%Y-%m-%dT%H:%M:%SZ},{_pick(chance, _QUEUES)},{_digits(chance, 2)},{_digits(chance, 2)},"
        f"{_digits(chance, 1)},{_digits(chance, 3)}"
    )


def _contact(chance: Random, number: int, day: datetime) -> str:
    return (
        f"{day:%y%m%d}{number:06d},{_pick(chance, _FIRST)},{_pick(chance, _LAST)},+1408555{_digits(chance, 4)},"
        f"{_pick(chance, _ZONES)},{_digits(chance, 4)}.{_digits(chance, 2)}"
    )


def _raw_contact(chance: Random, number: int, day: datetime) -> str:
    return _contact(chance, number, day).replace(",", "|")


def _outcome(chance: Random, number: int, day: datetime) -> str:
    return f"{number:06d},{_moment(chance, day)},{_pick(chance, _RESULTS)},{_digits(chance, 6)}"


def _table(header: str, row: Callable[[Random, int, datetime], str], end: str = "\r\n") -> Table:
    return Table(header, len(row(Random(0), 0, datetime(2024, 1, 1, tzinfo=UTC))) + len(end), row, end)


CALLS = _table("call_id,start_utc,queue,agent,ani,talk_seconds,hold_seconds,outcome", _call)
ACTIVITY = _table("interval_utc,agent,state,seconds", _activity)
CAMPAIGNS = _table("date,campaign,pass,attempts,connects,abandon_rate", _campaign)
INTERVALS = _table("minute_utc,queue,offered,answered,abandoned,longest_wait_seconds", _interval)
CONTACTS = _table("account,first_name,last_name,phone,time_zone,balance", _contact)
RAW_CONTACTS = _table("ACCOUNT|FIRST|LAST|PHONE|TZ|BALANCE", _raw_contact, "\n")
OUTCOMES = _table("row,processed_utc,result,record_id", _outcome)
