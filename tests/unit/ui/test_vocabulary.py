"""Names and values of loaded rows."""

from cloudstore_tui.core.models import Folder, Location, StoredObject
from cloudstore_tui.ui.browser.search_suggestions import LONGEST, MAX_NAMES, MAX_VALUES, Vocabulary

HERE = Location("acme8", "us-east", "id")


def row(*tags: tuple[str, str], kind: str = "callrecording") -> StoredObject:
    return StoredObject(HERE, "x", type=kind, tags=tags)


def test_values_are_counted_and_the_most_frequent_comes_first() -> None:
    seen = Vocabulary()
    seen.learn([row(("agentName", "Lee")), row(("agentName", "Khang Glynn")), row(("agentName", "Khang Glynn"))])
    seen.learn([Folder(HERE, "folder")])
    assert seen.values("agentName") == (("Khang Glynn", 2), ("Lee", 1))
    assert seen.values("type") == (("callrecording", 3),)
    assert seen.names == ("type", "agentName")
    assert seen.values("unknown") == ()


def test_it_stays_small_whatever_comes() -> None:
    seen = Vocabulary()
    seen.learn(row(("agentName", f"agent {number}")) for number in range(MAX_VALUES + 50))
    seen.learn([row(*((f"tag{number}", "x") for number in range(MAX_NAMES + 50)))])
    assert len(seen.values("agentName")) == MAX_VALUES
    assert len(seen.names) == MAX_NAMES


def test_numbers_and_what_cannot_be_drawn_are_not_offered() -> None:
    seen = Vocabulary()
    seen.learn([row(("duration", "61000"), ("startTime", "1725148800000"), ("a", "\x1b[31m"), ("b", "x" * 200))])
    seen.learn([row(("n" * (LONGEST + 1), "x"), ("bad\nname", "x"))])
    assert seen.names == ("type", "duration", "startTime", "a", "b")
    assert all(not seen.values(name) for name in seen.names[1:])
