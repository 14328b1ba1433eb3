"""Which values lead from one object of a call to the others."""

from cloudstore_tui.calls import NAMED_BY, SHARED, placeholder, terms_of
from cloudstore_tui.core.models import Location, StoredObject

HERE = Location("acme8", "uk")


def test_a_recording_is_joined_by_its_call_its_bucket_and_as_a_source() -> None:
    recording = StoredObject(Location("acme8", "uk", "r"), "r", id="r", bucket_id="k", tags=(("callId", "int-1 2"),))
    assert list(terms_of(recording)) == [
        ("bucketId", "k"),
        ("callId", "int-1 2"),
        ("sourceId", "r"),
        ("sourceObjectId", "r"),
        ("originalCallId", "int-1 2"),
    ]


def test_a_derived_object_is_joined_through_its_source_and_the_call_before() -> None:
    tags = (("callId", "vm-1"), ("originalCallId", "int-1"), ("sourceId", "s"), ("sourceObjectId", "t"))
    terms = set(terms_of(StoredObject(HERE, "d", id="d", tags=tags)))
    assert {("id", "s"), ("id", "t"), ("callId", "int-1"), ("callId", "vm-1"), ("originalCallId", "vm-1")} <= terms


def test_values_that_stand_for_nothing_join_nothing() -> None:
    tags = (("callId", ""), ("transactionId", "0"), ("originalCallId", "-1"), ("sourceId", ""))
    assert list(terms_of(StoredObject(HERE, "", tags=tags))) == []


def test_an_id_that_a_user_knows_is_looked_for_wherever_it_can_stand() -> None:
    terms = set(terms_of(placeholder(HERE, "x")))
    assert {(key, "x") for key in NAMED_BY} == terms
    assert set(SHARED) < set(NAMED_BY)
