from datetime import UTC, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudstore_tui.core.models import Entry, Folder, Location, Query, Sort, StoredObject
from cloudstore_tui.results.codec import decode, encode, natural_key, normalized, search_text

TEXT = st.text(st.characters(exclude_categories=()), max_size=6)
TIMES = st.none() | st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))]))
LOCATIONS = st.builds(Location, TEXT, TEXT, TEXT, st.lists(TEXT, max_size=3).map(tuple))
QUERIES = st.builds(Query, LOCATIONS, TEXT, st.none() | st.builds(Sort, TEXT, st.booleans()))
FOLDERS = st.builds(Folder, LOCATIONS, TEXT, st.none() | QUERIES, TIMES, st.booleans())
OBJECTS = st.builds(
    StoredObject,
    LOCATIONS,
    TEXT,
    id=TEXT,
    size=st.none() | st.integers(),
    size_exact=st.booleans(),
    modified=TIMES,
    created=TIMES,
    state=TEXT,
    duration=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    tags=st.lists(st.tuples(TEXT, TEXT), max_size=4).map(tuple),
)


@given(FOLDERS | OBJECTS)
def test_every_entry_comes_back_as_it_was(entry: Entry) -> None:
    assert decode(encode(entry), is_folder=isinstance(entry, Folder)) == entry


@given(FOLDERS | OBJECTS)
def test_what_is_searched_can_be_stored(entry: Entry) -> None:
    search_text(entry).encode()


@pytest.mark.parametrize(("text", "found"), [("Straße", "strasse"), ("ABC", "abc"), ("\ud800", "?")])
def test_case_does_not_count(text: str, found: str) -> None:
    assert normalized(text) == found


def test_names_are_in_the_order_that_people_expect() -> None:
    names = ["reporting-archive/", "file-10.txt", "reporting/", "File-9.txt", "file-010.txt", "", "Zebra", "äpfel"]
    ordered = ["", "File-9.txt", "file-10.txt", "file-010.txt", "reporting/", "reporting-archive/", "Zebra", "äpfel"]
    assert sorted(names, key=natural_key) == ordered
