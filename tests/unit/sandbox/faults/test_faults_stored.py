"""Faults of what is stored: bytes whose checksum the service tells wrongly, and zips that are damaged."""

import hashlib
import io
import zipfile
from typing import Any

import pytest

from cloudstore_tui.sandbox.faults.plan import FaultPlan


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def test_one_object_of_many_is_not_what_its_checksum_says(eight: Any, ask: Any, faults: FaultPlan) -> None:
    records = eight.objects("type==summary", 3)
    bad = records[1]
    faults.add(f"damaged path={bad['id']}")
    for record in records:
        good = record is not bad
        for _ in range(2):
            assert (md5(eight.get(f"/objects/{record['id']}/content").body) == record["checksum"]) is good
        assert (md5(ask(eight.link(f"/objects/{record['id']}/content")).body) == record["checksum"]) is good


def test_a_zip_holds_the_damaged_object_as_if_it_were_sound(eight: Any, faults: FaultPlan) -> None:
    records = eight.objects("type==summary", 3)
    faults.add(f"damaged path={records[1]['id']}")
    with zipfile.ZipFile(
        io.BytesIO(eight.get(f"/bulk/download/{eight.zipped([r['id'] for r in records])}").body)
    ) as zf:
        found = [
            md5(zf.read(member)) == record["checksum"] for member, record in zip(zf.infolist(), records, strict=True)
        ]
    assert found == [True, False, True]


def test_a_damaged_object_of_alvaria(alvaria: Any, link: str, ask: Any, faults: FaultPlan, truth: bytes) -> None:
    faults.add("damaged path=imports/outreach/nanp/*")
    heard = ask(link)
    assert len(heard.body) == len(truth)
    assert heard.body != truth
    part = ask(link, headers={"Range": f"bytes={len(truth) // 2}-{len(truth) // 2}"})
    assert part.body == heard.body[len(truth) // 2 :][:1] != truth[len(truth) // 2 :][:1]


def test_a_share_of_the_objects_is_damaged_the_same_ones_each_time(eight: Any, faults: FaultPlan) -> None:
    records = eight.objects("type==summary", 12)
    faults.add("damaged share=0.5 seed=3")
    seen = [[md5(eight.get(f"/objects/{r['id']}/content").body) == r["checksum"] for r in records] for _ in range(2)]
    assert seen[0] == seen[1]
    assert 0 < sum(seen[0]) < len(records)


@pytest.mark.parametrize(("after", "left"), [("0", 0), ("10", 10), ("-5", -5), ("50%", None)])
def test_a_zip_that_ends_too_soon(eight: Any, ask: Any, faults: FaultPlan, after: str, left: int | None) -> None:
    path = f"/bulk/download/{eight.zipped([record['id'] for record in eight.objects('type==summary', 3)])}"
    whole = eight.get(path).body
    faults.add(f"zip-cut after={after}")
    short = whole[: left if left is not None else len(whole) // 2]
    assert eight.get(path).body == short
    assert ask(eight.link(path.replace("/download/", "/download/status/"))).body == short


def test_a_zip_one_member_of_which_is_damaged(eight: Any, faults: FaultPlan) -> None:
    name = eight.zipped([record["id"] for record in eight.objects("type==summary", 3)])
    faults.add("zip-damaged member=1")
    with zipfile.ZipFile(io.BytesIO(eight.get(f"/bulk/download/{name}").body)) as file:
        first, second, third = file.infolist()
        assert file.read(first)
        assert file.read(third)
        with pytest.raises(zipfile.BadZipFile):
            file.read(second)


@pytest.mark.parametrize(("naming", "sign"), [("raw", ":"), ("dots", ".")])
def test_a_link_to_a_zip_names_members_as_the_switch_says(
    eight: Any, sandbox: Any, ask: Any, naming: str, sign: str
) -> None:
    name = eight.zipped([record["id"] for record in eight.objects("type==callrecording", 2)])
    sandbox.switches.set({"E-29": naming})
    with zipfile.ZipFile(io.BytesIO(ask(eight.link(f"/bulk/download/status/{name}")).body)) as file:
        assert all(member.filename.startswith(f"ipbx{sign}") for member in file.infolist())
