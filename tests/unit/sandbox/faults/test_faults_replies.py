"""Refusals, failures, redirects and faults of uploads, as a client sees them."""

from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from cloudstore_tui.sandbox.faults.plan import FaultPlan


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ("500", 500),
        ("502", 502),
        ("503", 503),
        ("504", 504),
        ("status status=599", 599),
        ("unauthorised", 401),
        ("forbidden", 403),
        ("not-found", 404),
        ("gone", 410),
    ],
)
def test_a_status_in_the_words_of_whom_it_comes_from(
    link: str, alvaria: Any, ask: Any, faults: FaultPlan, fault: str, status: int
) -> None:
    faults.add(f"{fault} times=2")
    blob, api = ask(link), alvaria.listing()
    assert (blob.status, blob.header("content-type")) == (status, "application/xml")
    assert blob.body.startswith(b"<?xml")
    assert (api.status, api.header("content-type")) == (status, "application/json")
    assert "fault" in api.json
    assert ask(link).status == 200


@pytest.mark.parametrize("told", ["3", "0", "-5", "soon", "1" + "0" * 20, "Wed, 21 Oct 2015 07:28:00 GMT"])
def test_how_long_to_wait_is_told_as_the_rule_says(alvaria: Any, faults: FaultPlan, told: str) -> None:
    faults.add(f'too-many retry-after="{told}"')
    heard = alvaria.listing()
    assert (heard.status, heard.header("retry-after")) == (429, told)


def test_how_long_to_wait_can_be_left_out_or_be_a_date(alvaria: Any, faults: FaultPlan) -> None:
    faults.add("too-many retry-after=none", "too-many retry-after=date:30 status=503")
    assert "retry-after" not in dict(alvaria.listing().headers)
    heard = alvaria.listing()
    assert heard.status == 503
    moments = [parsedate_to_datetime(heard.header(name)) for name in ("retry-after", "date")]
    assert 28 <= (moments[0] - moments[1]).total_seconds() <= 31


def test_a_link_that_has_expired(link: str, ask: Any, faults: FaultPlan) -> None:
    faults.add("expired")
    heard = ask(link)
    assert heard.status == 403
    assert b"Request has expired" in heard.body


def test_a_redirect_to_elsewhere(link: str, ask: Any, faults: FaultPlan) -> None:
    faults.add("redirect", "redirect to=http://10.0.0.1/x status=307")
    assert (ask(link).status, ask(link).header("location")) == (302, "http://10.0.0.1/x")


def test_a_link_of_8x8_is_a_blob_and_its_api_is_none(eight: Any, ask: Any, faults: FaultPlan) -> None:
    record = eight.objects("type==summary", 1)[0]
    link = eight.link(f"/objects/{record['id']}/content")
    faults.add("not-found where=blob", "gone where=bytes times=2")
    assert ask(link).status == 404
    assert eight.get(f"/objects/{record['id']}/content").status == 410
    assert ask(link).status == 410
    assert eight.get(f"/objects/{record['id']}").status == 200


@pytest.mark.parametrize(("fault", "code"), [("bad-digest", b"BadDigest"), ("too-large", b"EntityTooLarge")])
def test_an_upload_that_is_refused(alvaria: Any, faults: FaultPlan, fault: str, code: bytes) -> None:
    link = alvaria.link("imports/outreach/refused.csv", "signedUploadUrl")
    faults.add(fault)
    heard = alvaria.put(link, b"x" * 1000)
    assert heard.status == 400
    assert code in heard.body
    assert alvaria.put(link, b"x" * 1000).status == 200


def test_an_upload_of_which_only_half_is_stored(alvaria: Any, ask: Any, faults: FaultPlan) -> None:
    data = bytes(range(250)) * 2000
    faults.add("half-upload")
    heard = alvaria.put(alvaria.link("imports/outreach/half.bin", "signedUploadUrl"), data)
    assert heard.status == 200
    assert ask(alvaria.link("imports/outreach/half.bin")).body == data[: len(data) // 2]
