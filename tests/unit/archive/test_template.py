"""Name templates: what they make of objects, and what they refuse."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudstore_tui.archive.template import FIELDS, CallFolder, Template
from cloudstore_tui.config.settings import CALL_FOLDER
from cloudstore_tui.core.errors import ConfigError, UsageError
from cloudstore_tui.core.models import Location, StoredObject
from cloudstore_tui.fs.names import LONGEST, safe_name

MakeObject = Callable[..., StoredObject]

values = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        ["..", ".", "../../.ssh/x", "/etc/passwd", "C:\\x", "a/b", "NUL", "x. ", "-rf", "~", "․․", "\x1b[2J", "\0"]  # noqa: RUF001 - look-alike dots
    ),
)
times = st.one_of(st.none(), st.datetimes(timezones=st.just(UTC)))
templates = st.sampled_from(
    [
        "{start:%Y/%m/%d}/{agentName}-{callerId}-{callId}",
        "{name}",
        "{agentName}/{name}",
        "calls/{created:%H:%M}_{type}.wav",
        "{{{region}}}/{id}",
        "{agentName}{callId}",
    ]
)


def path(template: str, entry: StoredObject, zone: timezone = UTC) -> str:
    return "/".join(Template(template, zone).path(entry, "8x8"))


def test_fields_tags_and_times_become_folders_and_a_name(make_object: MakeObject) -> None:
    assert (
        path("{start:%Y/%m/%d}/{agentName}-{callerId}-{callId}", make_object())
        == "2024/09/01/Khang Glynn-+16695555518-int-191-a.mp3"
    )


def test_start_is_the_tag_of_the_call_where_there_is_one(make_object: MakeObject) -> None:
    entry = make_object(tags=(("startTime", "1725148800000"),))
    assert path("{start:%Y%m%d-%H%M}", entry) == "20240901-0000.mp3"
    assert path("{start:%Y%m%d-%H%M}", entry, timezone(timedelta(hours=-5))) == "20240831-1900.mp3"
    assert path("{start:%H%M}", make_object(tags=(("startTime", "soon"),))) == "0708.mp3"


def test_what_is_unknown_or_empty_becomes_an_underscore(make_object: MakeObject) -> None:
    entry = make_object(tags=(("agentName", ""), ("queueName", "  ")), created=None)
    assert path("{start:%Y/%m}/{agentName}/{queueName}-{callId}", entry) == "_/_/_/_-_.mp3"


def test_slashes_in_values_stay_inside_their_segment(make_object: MakeObject) -> None:
    entry = make_object(tags=(("agentName", "../../x/y"),))
    assert path("{agentName}/{id}", entry).count("/") == 1


def test_a_colon_becomes_a_dash(make_object: MakeObject) -> None:
    assert path("{name}", make_object(name="ipbx:acme:users:1-+1669_E.mp3")) == "ipbx-acme-users-1-+1669_E.mp3"


@pytest.mark.parametrize(
    ("template", "name", "mime", "expected"),
    [
        ("{callId}", "a.mp3", "audio/mpeg", "int-191-a.mp3"),
        ("{callId}", "survey", "application/json; charset=utf-8", "int-191-a.json"),
        ("{callId}", "export.tar.gz", "", "int-191-a.tar.gz"),
        ("{callId}", "no-idea", "x/y", "int-191-a"),
        ("{callId}.wav", "a.mp3", "audio/mpeg", "int-191-a.wav"),
        ("{callId}.wav{id}", "a.mp3", "audio/mpeg", "int-191-a.wavI.mp3"),
        ("{callId}-v1.5", "a.mp3", "audio/mpeg", "int-191-a-v1.5.mp3"),
        ("{name}", "a.MP3", "audio/mpeg", "a.MP3"),
        ("{name}", "notes.agentnotes", "text/plain", "notes.agentnotes"),
    ],
)
def test_the_extension_comes_from_the_template_the_name_or_the_mime_type(
    make_object: MakeObject, template: str, name: str, mime: str, expected: str
) -> None:
    assert path(template, make_object("I", name=name, mime=mime)) == expected


@pytest.mark.parametrize(
    ("template", "position"),
    [
        ("{start:%Y/../..}/{agentName}", 1),
        ("{0.__class__}", 1),
        ("{name.__class__}", 1),
        ("{name[0]}", 1),
        ("{x!r}", 1),
        ("a-{name!r}", 3),
        ("{}", 1),
        ("{0}", 1),
        ("{{}}{nosuch}", 5),
        ("{name:>900000000}", 1),
        ("{start:{name}}", 1),
        ("{start:%c}", 1),
        ("{start:%-d}", 1),
        ("{start:%}", 1),
        ("{agentName:%Y}", 1),
        ("{name", 1),
        ("a}b", 2),
        ("/abs/{name}", 1),
        ("a//{name}", 3),
        ("{name}/", 8),
        ("../{name}", 3),
        ("x/. ./{name}", 6),
        ("", 0),
        ("/".join(["a"] * 40), 0),
    ],
)
def test_everything_but_fields_and_time_formats_is_refused_with_its_place(template: str, position: int) -> None:
    with pytest.raises(UsageError) as caught:
        Template(template, UTC)
    if position:
        assert f"at character {position} " in str(caught.value)
        is_about_its_name = any(what in caught.value.message for what in ("there is no field", "a field without"))
        assert is_about_its_name == bool(caught.value.hint)
    assert caught.value.code == 2


def test_a_slip_of_the_pen_is_answered_with_the_nearest_field() -> None:
    with pytest.raises(UsageError, match=r"Did you mean agentName\?"):
        Template("{agentNmae}", UTC)


@given(templates, values, values, values, times)
def test_every_expansion_is_as_many_safe_segments_as_the_template_has(
    template: str, name: str, agent: str, caller: str, created: datetime | None
) -> None:
    entry = StoredObject(
        Location("acme8", agent, caller),
        name,
        id=caller,
        type=agent,
        mime=name,
        created=created,
        tags=(("agentName", agent), ("callId", name), ("callerId", caller), ("startTime", caller)),
    )
    segments = Template(template, UTC).path(entry, "8x8")
    assert len(segments) == template.replace("%Y/%m/%d", "%Y/%m/%d").count("/") + 1
    for segment in segments:
        assert segment == PurePosixPath(segment).name
        assert segment not in ("", ".", "..")
        assert 0 < len(segment.encode()) <= LONGEST
        assert not segment.startswith((".", "-", "~", " "))
        assert safe_name(segment.replace("%", "")) != ""


@given(st.lists(st.sampled_from(["name", "start", *"{}!:.%/[]()x0Y "]), max_size=24).map("".join))
def test_any_text_is_a_template_or_a_usage_error(text: str) -> None:
    try:
        template = Template(text, UTC)
    except UsageError:
        return
    segments = template.path(StoredObject(Location("acme8", "us-east", "1"), "a.mp3", id="1"), "8x8")
    assert all(segment and "/" not in segment for segment in segments)


def test_every_known_field_can_be_used(make_object: MakeObject) -> None:
    for name in FIELDS:
        assert path(f"x{{{name}}}", make_object()).startswith("x")


# The folder of a call


TAGS = (("startTime", "1725181953000"), ("agentName", "M,DENNIS"), ("callId", "int-1"))
CALL = StoredObject(Location("acme8", "us-east", "r"), "int-1.mp3", id="r", mime="audio/mpeg", tags=TAGS)


@pytest.mark.parametrize(
    ("template", "folder"),
    [
        (CALL_FOLDER, "2024-09-01 09-12 M,DENNIS"),
        ("{start:%Y/%m}/{callId}/", "2024/09/int-1"),
        ("calls", "calls"),
        ("{queueName}", "_"),
    ],
)
def test_it_follows_the_template_and_is_no_file(template: str, folder: str) -> None:
    assert CallFolder(template, UTC).path(CALL, "8x8") == Path(folder)


def test_a_hostile_value_stays_one_folder() -> None:
    hostile = StoredObject(CALL.location, "x", id="r", tags=(("callId", "../../etc"), ("agentName", "/")))
    path = CallFolder("{agentName}/{callId}", UTC).path(hostile, "8x8")
    assert len(path.parts) == 2
    assert ".." not in path.parts
    assert not path.is_absolute()


@pytest.mark.parametrize("template", ["", "/", "{nothing}", "a//b", "{callId", ".."])
def test_a_template_that_cannot_be_used_is_the_fault_of_the_settings(template: str) -> None:
    with pytest.raises(ConfigError) as refused:
        CallFolder(template, UTC)
    assert str(refused.value).startswith("call_folder under [settings]: ")
