"""Stand-ins for people."""

import re
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from cloudstore_tui.core.models import Location, StoredObject
from cloudstore_tui.ui.mask import Mask, is_personal


def on(*names: str) -> Mask:
    mask = Mask(b"key")
    mask.on = True
    for name in names:
        mask.learn_name(name)
    return mask


def test_nothing_is_changed_while_it_is_off() -> None:
    mask = Mask()
    mask.learn_name("Khang Glynn")
    assert mask.text("Khang Glynn +16695552017") == "Khang Glynn +16695552017"
    assert mask.field("agentName", "Khang Glynn") == "Khang Glynn"


@pytest.mark.parametrize(
    "name", ["agentName", "userName", "callerName", "calleeName", "callerId", "userEmail", "agentEmail", "ANI", "dnis"]
)
def test_fields_of_people_are_known(name: str) -> None:
    assert is_personal(name)


@pytest.mark.parametrize("name", ["extensionNumber", "billingTelephoneNumber", "address", "customerPhone", "user_name"])
def test_fields_of_numbers_are_known(name: str) -> None:
    assert is_personal(name)


@pytest.mark.parametrize(
    "name", ["queueName", "channelName", "type", "callId", "agentId", "duration", "name", "branchId", "voicemail"]
)
def test_other_fields_are_left_alone(name: str) -> None:
    assert not is_personal(name)


@pytest.mark.parametrize(
    "text",
    [
        "Khang Glynn",
        "GLYNN, Khang",
        "recordings/khang_glynn-2024.mp3",
        "Call · Khang Glynn · looking",
    ],
)
def test_a_name_that_was_learnt_is_known_in_any_text(text: str) -> None:
    told = on("Khang Glynn").text(text)
    assert not re.search("khang|glynn", told, re.IGNORECASE)
    assert re.sub(r"[^\W\d_]", "", told) == re.sub(r"[^\W\d_]", "", text)


@pytest.mark.parametrize(
    "number",
    ["+16695552017", "+1 669-555-2017", "(669) 555-2017", "669-555-2017", "16695552017", "+44 (20) 7946 0958"],
)
def test_a_number_is_known_by_how_it_looks(number: str) -> None:
    told = on().text(f"ipbx:users:{number}_E.mp3")
    assert len(told) == len(f"ipbx:users:{number}_E.mp3")
    digits = "".join(filter(str.isdecimal, number))
    assert digits[:-4] not in told
    assert told.startswith("ipbx:users:")


@pytest.mark.parametrize(
    "text",
    [
        "1615398041453",
        "20240901120000",
        "2024-09-01 12:00:00 UTC",
        "189.1 kB (189,128 bytes)",
        "0191b002-f6f0-7c67-9622-3d7fc3d48951",
        "int-1781d39f76d-abc-phone-01-acmecorp01.mp3",
        "127.0.0.1:8899",
        "type==callrecording;createdTime=ge=1704067200000",
        "328b73121f5c0340179fa65e40834d1b",
    ],
)
def test_what_is_no_number_of_somebody_stays(text: str) -> None:
    assert on("Khang Glynn").text(text) == text


def test_a_link_shows_its_host_and_nothing_that_opens_it() -> None:
    told = on().text("https://api.8x8.com/storage/x?X-Amz-Signature=abc&y=1")
    assert told.startswith("https://api.8x8.com•")
    assert "abc" not in told
    assert len(told) == len("https://api.8x8.com/storage/x?X-Amz-Signature=abc&y=1")
    assert on().text("https://api.8x8.com/docs") == "https://api.8x8.com/docs"


def test_a_mail_address_is_masked_once() -> None:
    mask = on()
    told = mask.text("khang.glynn@acme.example")
    assert "khang" not in told
    assert "acme" not in told
    assert mask.text(told) == told


def test_whom_a_filter_asks_for_is_masked_and_learnt() -> None:
    mask = on()
    told = mask.text('agentName=="Abena Osei";duration=gt=90')
    assert re.fullmatch(r'agentName=="\w{5} \w{4}";duration=gt=90', told)
    assert "Abena" not in mask.text("agent name is Abena Osei")
    assert mask.text(told) == told
    assert "Khang" not in mask.text('agent:"Khang Glynn" since:yesterday')


def test_the_same_value_has_the_same_stand_in_and_others_have_others() -> None:
    mask = on("Khang Glynn")
    assert mask.text("x Khang Glynn") == "x " + mask.field("agentName", "Khang Glynn")
    assert len({mask.field("callerId", f"+1669555{number}") for number in range(2_000, 2_100)}) > 95
    assert Mask().field("agentName", "Khang") == "Khang"


def test_stand_ins_cannot_be_computed_by_others() -> None:
    one, other = Mask(), Mask()
    one.on = other.on = True
    assert one.field("agentName", "Khang Glynn") != other.field("agentName", "Khang Glynn")


def test_names_of_wide_letters_stay_as_wide() -> None:
    told = on("山田 太郎").text("山田 太郎.mp3")
    assert cell_len(told) == cell_len("山田 太郎.mp3")
    assert "山田" not in told


def test_names_are_learnt_from_the_tags_of_people_but_not_from_queues() -> None:
    mask = on()
    tags = (("agentName", "Khang Glynn"), ("queueName", "Level 2"), ("calleeName", "Level 2"))
    mask.learn([StoredObject(Location("acme8", "uk", "id"), "x", tags=tags)])
    assert "Khang" not in mask.text("Khang Glynn in Level 2")
    assert "Level 2" in mask.text("Khang Glynn in Level 2")


@given(st.text(max_size=60), st.lists(st.text("abAB éß'山-, 0123456789", max_size=16), max_size=3))
def test_any_text_stays_as_long_and_as_wide_and_is_masked_once(text: str, names: list[str]) -> None:
    mask = on(*names)
    joined = f"{text} {' '.join(names)}"
    told = mask.text(joined)
    assert len(told) == len(joined)
    assert cell_len(told) == cell_len(joined)


def test_folders_of_this_machine_are_left_out() -> None:
    path = PurePosixPath("/home/kim/2024-09-01 Khang Glynn/a.mp3")
    assert on().path(path) == "…/a.mp3"
    assert Mask().path(path) == str(path)


def test_people_in_json_are_masked_and_learnt() -> None:
    mask = on()
    told = mask.text('{"agent": "Khang Glynn", "caller":"DIAZ,CARLOS", "speaker": "agent", "agent": 0.5}')
    assert re.fullmatch(r'\{"agent": "\w{5} \w{5}", "caller":"\w{4},\w{6}", "speaker": "agent", "agent": 0.5\}', told)
    assert "Khang" not in told
    assert "Glynn" not in mask.text("my name is Khang Glynn. How can I help?")


def test_people_in_columns_of_a_table_are_learnt() -> None:
    mask = on()
    mask.learn_table(["account", "FIRST", "last_name", "queue"], [("1", "Karen", "Baker", "Billing"), ("2",)])
    assert not re.search("Karen|Baker", mask.text("Karen  Baker  Billing"))
    assert mask.text("Karen  Baker  Billing").endswith("Billing")
