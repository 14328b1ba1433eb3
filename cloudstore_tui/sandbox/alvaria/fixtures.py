"""Which files the organisation has: a month of exports, dropped lists, recordings, and some odd ones."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cloudstore_tui.sandbox.alvaria.recipe import Recipe

DAYS_KEPT = 28
"""Days that the nightly extracts are kept."""

HOURS_KEPT = 48
"""Hours of intraday data."""

CROWD = 10_000
"""Recordings in the one large folder: ten pages."""

LONG = 4 * 3600
"""Seconds of the longest recording: 230 MB, to try what takes time."""


@dataclass(frozen=True, slots=True)
class Fixture:
    """One file to begin with."""

    key: str
    modified: float
    recipe: Recipe
    oddity: str = ""
    """How its entry in a listing is odd: a key of `wire.ODDITIES`."""


def fixtures(seed: int, now: datetime) -> Iterator[Fixture]:
    """All files, in no order; their ages count back from `now`."""
    moment = now.astimezone(UTC)
    today = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    yield from _nightly(random.Random(f"{seed}:nightly"), today)
    yield from _intraday(random.Random(f"{seed}:intraday"), moment)
    yield from _drops(random.Random(f"{seed}:drops"), today)
    yield from _recordings(random.Random(f"{seed}:recordings"), today)
    yield from _oddities(today.timestamp())
    yield from _hostile(today.timestamp())


def _nightly(chance: random.Random, today: datetime) -> Iterator[Fixture]:
    for back in range(1, DAYS_KEPT + 1):
        day = today - timedelta(days=back)
        made = (day + timedelta(days=1, hours=2, minutes=7, seconds=chance.randrange(60))).timestamp()
        name = f"enterprise-historical-{day:%Y%m%d}.tar"
        calls = Recipe("extract", chance.randrange(4000, 9000) // (1 if day.weekday() < 5 else 4))
        yield Fixture(f"exports/reporting/enterprise-historical/{name}", made, calls)
        name = f"outreach-{day:%Y%m%d}.tar"
        yield Fixture(f"exports/reporting/outreach/{name}", made, Recipe("outreach", chance.randrange(900, 3000)))
    for month in range(1, 13):
        day = today - timedelta(days=30 * month)
        for folder in ("enterprise-historical", "outreach"):
            key = f"exports/reporting-archive/{folder}/{folder}-{day:%Y%m}.tar"
            yield Fixture(key, day.timestamp(), Recipe("extract", chance.randrange(6000, 9000)))


def _intraday(chance: random.Random, now: datetime) -> Iterator[Fixture]:
    for back in range(1, HOURS_KEPT + 1):
        hour = (now - timedelta(hours=back)).replace(minute=0, second=0, microsecond=0)
        key = f"exports/reporting/intraday/intraday-{hour:%Y_%m_%d_%H}.tar.gz"
        made = (hour + timedelta(hours=1, seconds=chance.randrange(60, 300))).timestamp()
        yield Fixture(key, made, Recipe("hourly", chance.randrange(40, 120)))


_DAILY = (
    ("imports/apm/ecf/processed/ecf-{}.csv", "contacts"),
    ("imports/motivate/kpi/processed/kpi-{}.csv", "activity"),
    ("exports/motivate/kpi/processed/kpi-{}.csv", "activity"),
    ("exports/compliance/audit/audit-{}.csv", "outcomes"),
    ("exports/workforce/schedule-{}.csv", "activity"),
    ("exports/workflow/steps-{}.csv", "outcomes"),
    ("exports/outreach/list-management/results-{}.csv", "calls"),
    ("imports/workforce/roster-{}.csv", "activity"),
)
_ONCE = (
    ("imports/outreach/list-management/outreach.raw", "raw"),
    ("imports/outreach/list-management/late-payments.csv", "contacts"),
    ("imports/outreach/nanp/number-plan.csv", "outcomes"),
    ("imports/outreach/exclusions/do-not-call.csv", "contacts"),
    ("imports/apm/aom/orders.csv", "outcomes"),
    ("imports/apm/ecf/errors/ecf-rejected-rows.csv", "outcomes"),
    ("exports/motivate/kpi/errors/kpi-rejected-rows.csv", "outcomes"),
    ("exports/configuration/campaign/campaigns.csv", "campaigns"),
    ("imports/configuration/interaction-management/queues.csv", "campaigns"),
    ("imports/aps-custom/partner-feed.csv", "contacts"),
)


def _drops(chance: random.Random, today: datetime) -> Iterator[Fixture]:
    for back in range(3):
        day = today - timedelta(days=back)
        for pattern, kind in _DAILY:
            made = (day + timedelta(seconds=chance.randrange(86_400))).timestamp() - 86_400
            yield Fixture(pattern.format(f"{day:%Y%m%d}"), made, Recipe(kind, chance.randrange(150, 900)))
    for key, kind in _ONCE:
        yield Fixture(key, today.timestamp(), Recipe(kind, chance.randrange(40, 600)))


def _recordings(chance: random.Random, today: datetime) -> Iterator[Fixture]:
    day = today - timedelta(days=1)
    folder = f"exports/cxp/recordings/{day:%Y-%m-%d}/"
    midnight = day.timestamp()
    for number in range(CROWD):
        second = number * 8
        clock = f"{second // 3600:02d}{second // 60 % 60:02d}{second % 60:02d}"
        key = f"{folder}{clock}-{chance.getrandbits(32):08x}.wav"
        yield Fixture(key, midnight + second, Recipe("wav", 5 + chance.getrandbits(7)))
    older = today - timedelta(days=2)
    for number in range(24):
        key = f"exports/cxp/recordings/{older:%Y-%m-%d}/{number:02d}0000-{chance.getrandbits(32):08x}.wav"
        yield Fixture(key, older.timestamp() + number * 3600, Recipe("wav", chance.randrange(20, 400)))
    for number in range(12):
        key = f"exports/cxp/utterances/{day:%Y-%m-%d}/utterance-{number:04d}.wav"
        yield Fixture(key, midnight, Recipe("wav", chance.randrange(1, 6)))
    yield Fixture(f"exports/cxp/callsre/callsre-{day:%Y%m%d}.csv", midnight, Recipe("calls", 400))
    yield Fixture(f"exports/cxp/callsre/training-{day:%Y%m%d}-4h.wav", midnight, Recipe("wav", LONG))
    yield Fixture(f"exports/cxp/callsre/training-{day:%Y%m%d}.mp3", midnight, Recipe("mp3", 754))


def _oddities(made: float) -> Iterator[Fixture]:
    names = {
        "blank-size.csv": "blank size",
        "capital-type.csv": "type with a blank",
        "date-instead-of-time.csv": "date",
        "blank-date.csv": "blank date",
        "empty-children.csv": "empty child",
        "no-type.csv": "no type",
        "links-in-the-listing.csv": "links",
    }
    for name, oddity in names.items():
        yield Fixture(f"exports/aps-custom/{name}", made, Recipe("outcomes", 60), oddity)
    # Outside the published tree, as the vendor's own samples are.
    yield Fixture("exports/data-extracts/cork/hours.wav", made, Recipe("wav", 9))


_HOSTILE_NAMES = (
    "names with blanks & signs #1 100% +plus.csv",
    "naïve café – 日本語 📞.csv",
    "cafe\u0301 NFD.csv",
    "café NFD.csv",
    "SAME.csv",
    "same.csv",
    "same.csv ",
    "[bold red]markup that never ends.csv",
    "[@click=app.quit]click me.csv",
    "in the whole key [/b] is alone.csv",
    "escape \x1b[31mred\x1b[0m \x1b]0;owned\x07.csv",
    "clipboard \x1b]52;c;cm0gLXJmIH4=\x1b\\.csv",
    "two\nlines\rOK verified.csv",
    "bidi \u202egpj.csv",
    "zero\u200bwidth\u2060.csv",
    "..\\..\\evil.csv",
    "%2e%2e%2fevil.csv",
    "-rf",
    "~root",
    ".bashrc",
    "CON.csv",
    "=1+cmd|' -c calc'!A0.csv",
    f"{'long-' * 40}name.csv",
)


def _hostile(made: float) -> Iterator[Fixture]:
    for number, name in enumerate(_HOSTILE_NAMES):
        yield Fixture(f"exports/aps-custom/odd names/{name}", made, Recipe("contacts", 20 + number))
