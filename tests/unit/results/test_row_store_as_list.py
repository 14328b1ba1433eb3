"""A store does what a plain list of entries would do, for any order of any of its operations."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from cloudstore_tui.core.models import Column, ColumnKind, Entry, Folder, Location, StoredObject, identity
from cloudstore_tui.results import row_store
from cloudstore_tui.results.codec import natural_key
from cloudstore_tui.results.row_store import RowStore

TEXT = st.text("abAB9[\x1b\u202e\ud800é\x00\"'%_\\ ", max_size=4)
TIMES = st.integers(0, 2**31 * 1000).map(lambda ms: datetime.fromtimestamp(ms / 1000, UTC))
IDS = st.integers(0, 12)

COLUMNS = (
    Column("name", "Name"),
    Column("size", "Size", ColumnKind.SIZE),
    Column("created", "Created", ColumnKind.TIME),
    Column("length", "Length", ColumnKind.DURATION),
    Column("agent", "Agent"),
    Column("nowhere", "Nowhere"),
)


@st.composite
def objects(draw: st.DrawFn) -> StoredObject:
    tags = draw(st.lists(st.tuples(st.sampled_from(["agent", "length", 'x"\ud800']), TEXT), max_size=3))
    return StoredObject(
        Location("acme", "r", f"id{draw(IDS)}"),
        draw(TEXT),
        size=draw(st.none() | st.integers(0, 2**70)),
        size_exact=draw(st.booleans()),
        created=draw(st.none() | TIMES),
        tags=tuple(tags),
    )


@st.composite
def folders(draw: st.DrawFn) -> Folder:
    return Folder(Location("acme", "r", place=(f"f{draw(IDS)}",)), draw(TEXT))


PAGES = st.lists(st.one_of(objects(), folders()), max_size=8)


@dataclass
class Known:
    entry: Entry
    marked: bool = False


def sort_value(entry: Entry, column: Column) -> Any:
    value = typed_value(entry, column)
    if not isinstance(value, str):
        return value
    # A text ends at its first NUL for SQL, and an empty one is not known.
    text = value.partition("\x00")[0] or None
    return natural_key(text) if text and column.name == "name" else text


def typed_value(entry: Entry, column: Column) -> Any:
    if isinstance(entry, Folder):
        return entry.name if column.name == "name" else None
    if column.name in ("name", "size", "created"):
        return getattr(entry, column.name)
    text = entry.tag(column.name)
    if not text.partition("\x00")[0]:
        return None
    if column.kind is ColumnKind.DURATION:
        digits = text.strip()
        count = next((i for i, c in enumerate(digits) if c not in "9"), len(digits))
        return float(digits[:count] or 0)
    return text


def comparable(value: Any) -> Any:
    """As SQLite compares: bytes of UTF-8, ASCII letters without case."""
    if not isinstance(value, str):
        return value
    return value.translate({code: code + 32 for code in range(65, 91)})


class StoreAsList(RuleBasedStateMachine):
    at_once = 10_000

    def __init__(self) -> None:
        super().__init__()
        row_store.MAX_SORTED_DIRECTLY = self.at_once
        self.store = RowStore()
        self.known: dict[str, Known] = {}
        self.text = ""
        self.column: Column | None = None
        self.descending = False

    def teardown(self) -> None:
        self.store.close()

    @rule(page=PAGES)
    def extend(self, page: list[Entry]) -> None:
        before = len(self.known)
        for entry in page:
            self.known.setdefault(identity(entry), Known(entry))
        assert self.store.extend(page) == len(self.known) - before

    @rule(page=PAGES)
    def merge(self, page: list[Entry]) -> None:
        before = len(self.known)
        for entry in page:
            self.known.setdefault(identity(entry), Known(entry)).entry = entry
        assert self.store.merge(page) == len(self.known) - before

    @rule(pages=st.lists(PAGES, max_size=2))
    def refresh(self, pages: list[list[Entry]]) -> None:
        fresh: dict[str, Known] = {}
        with self.store.refresh():
            for page in pages:
                self.store.merge(page)
                last = {identity(entry): entry for entry in page}
                for key, entry in last.items():
                    kept = fresh.pop(key, None) or self.known.get(key)
                    fresh[key] = Known(entry, kept.marked if kept else False)
        self.known = fresh

    @rule()
    def refresh_that_is_stopped(self) -> None:
        with pytest.raises(asyncio.CancelledError), self.store.refresh():
            raise asyncio.CancelledError

    @rule(page=PAGES)
    def remove(self, page: list[Entry]) -> None:
        gone = {identity(entry) for entry in page}
        before = len(self.known)
        self.known = {key: known for key, known in self.known.items() if key not in gone}
        assert self.store.remove(gone) == before - len(self.known)

    @rule()
    def clear(self) -> None:
        self.store.clear()
        self.known = {}

    @rule(text=TEXT)
    def filter(self, text: str) -> None:
        self.store.filter(text)
        self.text = text

    @rule(column=st.sampled_from([*COLUMNS, None]), descending=st.booleans())
    def sort(self, column: Column | None, descending: bool) -> None:
        self.store.sort(column, descending)
        self.column, self.descending = column, descending

    @precondition(lambda self: self.shown())
    @rule(data=st.data())
    def toggle(self, data: st.DataObject) -> None:
        index = data.draw(st.integers(0, len(self.shown()) - 1))
        shown = self.shown()[index]
        shown.marked = not shown.marked
        self.store.toggle(index)

    @rule(first=IDS, last=IDS, on=st.booleans())
    def mark_range(self, first: int, last: int, on: bool) -> None:
        for known in self.shown()[first : last + 1]:
            known.marked = on
        self.store.mark_range(first, last, on)

    @rule(page=PAGES, on=st.booleans())
    def mark(self, page: list[Entry], on: bool) -> None:
        for entry in page:
            if known := self.known.get(identity(entry)):
                known.marked = on
        self.store.mark([identity(entry) for entry in page], on)

    @rule()
    def mark_all(self) -> None:
        for known in self.shown():
            known.marked = True
        self.store.mark_all()

    @rule()
    def invert(self) -> None:
        for known in self.shown():
            known.marked = not known.marked
        self.store.invert()

    @rule()
    def clear_marks(self) -> None:
        for known in self.known.values():
            known.marked = False
        self.store.clear_marks()

    def matches(self, entry: Entry) -> bool:
        words = [entry.name] if isinstance(entry, Folder) else [entry.name, *(value for _, value in entry.tags)]
        needle = self.text.casefold().replace("\ud800", "?")
        return any(needle in word.casefold().replace("\ud800", "?") for word in words) or not needle

    def shown(self) -> list[Known]:
        shown = [known for known in self.known.values() if self.matches(known.entry)]
        if (column := self.column) is not None:
            have = [known for known in shown if sort_value(known.entry, column) is not None]
            # Equal ones stay in order, also backwards.
            have.sort(key=lambda known: comparable(sort_value(known.entry, column)), reverse=self.descending)
            shown = have + [known for known in shown if sort_value(known.entry, column) is None]
        return [known for known in shown if isinstance(known.entry, Folder)] + [
            known for known in shown if not isinstance(known.entry, Folder)
        ]

    @invariant()
    def shows_what_the_list_shows(self) -> None:
        for _ in range(3):
            if self.store.stale:
                asyncio.run(self.store.settle())
        assert not self.store.stale
        shown = self.shown()
        assert self.store.loaded == len(self.known)
        assert len(self.store) == len(shown)
        entries = self.store.window(0, 100)
        assert entries == [known.entry for known in shown]
        assert [self.store.is_marked(index) for index in range(len(shown))] == [known.marked for known in shown]
        assert [self.store.index_of(identity(entry)) for entry in entries] == list(range(len(entries)))

    @invariant()
    def knows_what_is_marked(self) -> None:
        marked = [known.entry for known in self.known.values() if known.marked]
        assert sorted(map(identity, self.store.marked())) == sorted(map(identity, marked))
        sizes = [entry.size if isinstance(entry, StoredObject) else None for entry in marked]
        assert self.store.selection.count == len(marked)
        assert self.store.selection.size == sum(min(size, 2**53) for size in sizes if size is not None)


class StoreInThread(StoreAsList):
    at_once = 1


@pytest.mark.parametrize("machine", [StoreAsList, StoreInThread])
def test_a_store_does_what_a_list_would_do(machine: type[StoreAsList], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_store, "MAX_SORTED_DIRECTLY", machine.at_once)
    machine.TestCase.settings = settings(
        max_examples=50,
        stateful_step_count=20,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    machine.TestCase("runTest").runTest()
