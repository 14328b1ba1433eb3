"""Which member of a zip is which object."""

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.transfers.zip.contents import ZipMember
from cloudstore_tui.transfers.zip.match import match

Stored = Callable[..., StoredObject]
Make = Callable[..., ZipMember]


def no_digest(_member: ZipMember) -> str:
    raise AssertionError("nothing has to be read")


def md5(content: str) -> str:
    return hashlib.md5(content.encode()).hexdigest()


def digests(*contents: str) -> Callable[[ZipMember], str]:
    return lambda member: md5(contents[member.index])


def test_an_exact_name_is_enough(stored: Stored, member: Make) -> None:
    found = match([stored(1, name="a"), stored(2, name="b")], [member(0, "b"), member(1, "a")], no_digest)
    assert {place: found.members[place].index for place in found.members} == {0: 1, 1: 0}
    assert (found.missing, found.extra) == ((), ())


@pytest.mark.parametrize("written", ["int-a.b.mp3", "int-a_b.mp3", "int-a-b.mp3", "x/int-a:b.mp3", "int-a:b(1).mp3"])
def test_a_name_may_be_written_in_another_way(stored: Stored, member: Make, written: str) -> None:
    found = match([stored(1, name="int-a:b.mp3")], [member(0, written)], no_digest)
    assert found.members[0].name == written


@pytest.mark.parametrize(("name", "written"), [("a/b/c.mp3", "c.mp3"), ("t:u:c.mp3", "c.mp3"), ("c.mp3", "z\\c.mp3")])
def test_the_last_part_of_a_name_is_enough(stored: Stored, member: Make, name: str, written: str) -> None:
    assert match([stored(1, name=name)], [member(0, written)], no_digest).members[0].name == written


def test_an_exact_name_wins_over_one_that_only_resembles(stored: Stored, member: Make) -> None:
    found = match([stored(1, name="a:b"), stored(2, name="a.b")], [member(0, "a.b"), member(1, "a_b")], no_digest)
    assert [found.members[place].name for place in (0, 1)] == ["a_b", "a.b"]


def test_size_tells_objects_of_one_name_apart(stored: Stored, member: Make) -> None:
    wanted = [stored(number, name="int.json", size=size) for number, size in enumerate((30, 10, 20))]
    found = match(wanted, [member(0, "int.json", 10), member(1, "int.json", 20), member(2, "int.json", 30)], no_digest)
    assert [found.members[place].size for place in range(3)] == [30, 10, 20]


def test_content_tells_objects_of_one_name_and_size_apart(stored: Stored, member: Make) -> None:
    wanted = [stored(number, name="int.json", checksum=md5(text)) for number, text in enumerate("abc")]
    found = match(wanted, [member(index, "int.json") for index in range(3)], digests("c", "a", "b"))
    assert [found.members[place].index for place in range(3)] == [1, 2, 0]


def test_the_order_of_the_request_decides_where_nothing_else_does(stored: Stored, member: Make) -> None:
    wanted = [stored(1, name="int.json"), stored(2, name="int.json")]
    found = match(wanted, [member(4, "int.json"), member(9, "int.json")], no_digest)
    assert [found.members[place].index for place in (0, 1)] == [4, 9]


def test_a_member_of_the_same_name_is_taken_before_another_one_with_the_same_content(
    stored: Stored, member: Make
) -> None:
    wanted = [stored(number, name="int.json", checksum=md5(text)) for number, text in enumerate("ab")]
    members = [member(0, "other.json"), member(1, "int.json"), member(2, "int.json")]
    found = match(wanted, members, digests("a", "a", "b"))
    assert [found.members[place].index for place in (0, 1)] == [1, 2]
    assert [left.index for left in found.extra] == [0]


def test_an_object_whose_content_is_not_there_takes_no_other_one(stored: Stored, member: Make) -> None:
    wanted = [stored(number, name="int.json", checksum=md5(text)) for number, text in enumerate("ab")]
    found = match(wanted, [member(0, "int.json")], digests("b"))
    assert found.members[1].index == 0
    assert found.missing == (0,)


def test_numbered_names_go_to_those_that_share_the_name(stored: Stored, member: Make) -> None:
    wanted = [stored(number, name="int.json", size=size) for number, size in enumerate((10, 20))]
    found = match(wanted, [member(0, "int.json", 20), member(1, "int(1).json", 10)], no_digest)
    assert [found.members[place].index for place in (0, 1)] == [1, 0]


def test_a_name_that_says_nothing_is_known_by_size_and_content(stored: Stored, member: Make) -> None:
    wanted = [stored(1, name="a", checksum=md5("x")), stored(2, name="b", checksum=md5("y"))]
    found = match(wanted, [member(0, "��"), member(1, "?")], digests("y", "x"))
    assert [found.members[place].index for place in (0, 1)] == [1, 0]


def test_the_checksum_of_an_upload_in_one_part_is_understood(stored: Stored, member: Make) -> None:
    single = hashlib.md5(hashlib.md5(b"x").digest()).hexdigest()
    found = match([stored(1, name="a", checksum=f"{single}-1")], [member(0, "zz")], digests("x"))
    assert found.members[0].index == 0


def test_a_damaged_member_is_still_that_of_its_name(stored: Stored, member: Make) -> None:
    found = match([stored(1, name="a", size=100)], [member(0, "a", 99)], lambda _member: "")
    assert found.members[0].index == 0


def test_missing_and_extra_ones_are_told(stored: Stored, member: Make) -> None:
    found = match([stored(1, name="a"), stored(2, name="b")], [member(0, "b"), member(1, "q")], lambda _member: "")
    assert found.missing == (0,)
    assert [left.name for left in found.extra] == ["q"]


def test_ten_thousand_of_one_name_and_size_take_a_moment(stored: Stored, member: Make) -> None:
    count = 10_000
    wanted = [stored(number, name="int.json", checksum=md5(str(number))) for number in range(count)]
    members = [member(index, "int.json") for index in range(count)]
    found = match(wanted, members, lambda one: md5(str(count - 1 - one.index)))
    assert all(found.members[place].index == count - 1 - place for place in range(count))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_every_order_and_naming_gives_each_object_its_own_content(
    stored: Stored, member: Make, data: st.DataObject
) -> None:
    names = st.sampled_from(("int-a:b.json", "int-a.b.json", "x/int.json", "int.json", "é.wav"))
    objects: list[tuple[str, int, str]] = data.draw(
        st.lists(
            st.tuples(names, st.integers(1, 3), st.text("abc", max_size=4)), max_size=8, unique_by=lambda one: one[2]
        )
    )
    way: Any = data.draw(st.sampled_from((str, lambda name: name.replace(":", "."), lambda name: name.split("/")[-1])))
    order = data.draw(st.permutations(range(len(objects))))
    dropped = data.draw(st.integers(0, 2))
    wanted = [stored(i, name=n, size=s, checksum=md5(text)) for i, (n, s, text) in enumerate(objects)]
    members = [member(i, way(objects[i][0]), objects[i][1]) for i in order][dropped:]
    found = match(wanted, members, lambda one: md5(objects[one.index][2]))
    taken = [one.index for one in found.members.values()]
    assert sorted(taken + [one.index for one in found.extra]) == sorted(one.index for one in members)
    assert sorted([*found.members, *found.missing]) == list(range(len(objects)))
    if not dropped:
        assert all(objects[place][1:] == objects[one.index][1:] for place, one in found.members.items())
