"""Rules: which requests they are for, how often they strike, and mixes of all kinds."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from cloudstore_tui.core.errors import UsageError
from cloudstore_tui.sandbox.faults.exchange import KINDS, RequestFacts, role_of
from cloudstore_tui.sandbox.faults.plan import FaultPlan, describe_faults, rule_json, rule_of

LINK = "/storage/us-east/css-us-east-media.s3.us-east-1.amazonaws.com/content/EPS/x"


def get(path: str = "/s3/a", role: str = "blob", query: str = "", **headers: str) -> RequestFacts:
    return RequestFacts(role, "GET", path, query, {name.replace("_", "-"): value for name, value in headers.items()})


def struck(plan: FaultPlan, asked: RequestFacts) -> list[str]:
    return [strike.kind.name for strike in plan.decide(asked)]


def test_a_rule_strikes_once_unless_it_says_otherwise() -> None:
    plan = FaultPlan(["reset", "500 times=2 skip=1", "503 times=0"])
    assert [struck(plan, get()) for _ in range(5)] == [["reset"], ["503"], ["500"], ["500"], ["503"]]


@pytest.mark.parametrize(
    ("rule", "hit"),
    [
        ("reset", [True, True, True, True]),
        ("reset where=blob", [True, False, False, False]),
        ("reset where=bytes", [True, True, False, False]),
        ("reset where=api", [False, True, True, False]),
        ("reset where=token", [False, False, False, True]),
        ("reset method=POST", [False, False, False, True]),
        ("reset path=*/objects*", [False, True, True, False]),
        ("reset path=*filter=a:b*", [False, False, True, False]),
        ("wrong-start", [False, False, False, False]),
    ],
)
def test_a_rule_is_for_the_requests_it_names(rule: str, hit: list[bool]) -> None:
    asked = [
        get(),
        get("/storage/uk/v3/objects/1/content", "api"),
        get("/storage/uk/v3/objects", "api", "filter=a%3Ab"),
        RequestFacts("token", "POST", "/oauth/v2/token", "", {}),
    ]
    assert [bool(struck(FaultPlan([rule]), one)) for one in asked] == hit


@pytest.mark.parametrize(
    ("path", "role"),
    [
        ("/oauth/v2/token", "token"),
        ("/tokenservice/oauth2/access_token", "token"),
        ("/storage/us-east/v3/objects", "api"),
        (LINK, "blob"),
    ],
)
def test_whom_a_request_is_for_is_seen_from_its_path(path: str, role: str) -> None:
    assert role_of(path, blob_port=False) == role
    assert role_of(path, blob_port=True) == "blob"


def test_a_link_given_by_the_api_is_not_yet_bytes() -> None:
    path = "/storage/us-east/v3/objects/1/content"
    assert get(path, "api").fetches()
    assert not get(path, "api", "presignUrl=true").fetches()
    assert get("/storage/us-east/v3/bulk/download/x.zip", "api").fetches()
    assert not get("/storage/us-east/v3/bulk/download/status/x.zip", "api").fetches()


def test_a_rule_without_requests_costs_no_look() -> None:
    plan = FaultPlan()
    assert not plan.active
    plan.add("reset")
    assert plan.active
    plan.clear()
    assert not plan.active


def test_a_reset_goes_back_to_the_rules_of_the_start() -> None:
    plan = FaultPlan(["reset"])
    plan.decide(get())
    plan.add("500")
    plan.reset()
    assert [(rule.fault, count.struck) for rule, count in plan.rules] == [("reset", 0)]
    assert plan.counts == {}


def test_a_strike_that_missed_can_be_had_again() -> None:
    plan = FaultPlan(["reset-after after=5"])
    plan.missed(plan.decide(get())[0])
    assert struck(plan, get()) == ["reset-after"]
    assert plan.counts == {"reset-after": 1}


def test_a_share_is_drawn_by_the_seed_whoever_comes_first() -> None:
    def drawn(seed: int, order: range) -> dict[int, bool]:
        plan = FaultPlan([f"reset times=0 share=0.3 seed={seed}"])
        return {number: bool(struck(plan, get(f"/s3/{number}"))) for number in order}

    first = drawn(1, range(400))
    assert drawn(1, range(399, -1, -1)) == first
    assert drawn(2, range(400)) != first
    assert 80 < sum(first.values()) < 160


MIX = "mix seed=7 share=0.85"


def mixed(plan: FaultPlan, asked: RequestFacts, count: int) -> list[str]:
    return ["".join(struck(plan, asked)) for _ in range(count)]


def test_a_mix_has_at_least_twenty_kinds_for_those_who_fetch() -> None:
    plan = FaultPlan([MIX])
    asked = [get(f"/s3/{number}", range="bytes=5-", if_match='"x"') for number in range(600)]
    seen = Counter(name for one in asked for name in struck(plan, one))
    assert len(seen) >= 20
    assert 450 < sum(seen.values()) < 560
    assert plan.counts == seen
    assert [count.struck for _rule, count in plan.rules] == [sum(seen.values())]


def test_a_mix_is_the_same_for_the_same_seed() -> None:
    asked = get(range="bytes=5-")
    first = mixed(FaultPlan([MIX]), asked, 50)
    assert mixed(FaultPlan([MIX]), asked, 50) == first
    assert mixed(FaultPlan(["mix seed=8 share=0.85"]), asked, 50) != first


def test_a_mix_lets_every_third_request_of_a_path_through() -> None:
    found = mixed(FaultPlan(["mix share=1"]), get(), 60)
    assert [bool(name) for name in found] == [True, True, False] * 20
    more = mixed(FaultPlan(["mix share=1 most=4"]), get(), 10)
    assert [bool(name) for name in more] == [True] * 4 + [False] + [True] * 4 + [False]


def test_a_mix_does_not_repeat_for_a_path_what_a_client_rightly_ends_at() -> None:
    found = Counter(mixed(FaultPlan(["mix share=1 most=1000"]), get(LINK, range="bytes=1-", if_match='"x"'), 900))
    once_per_object = [name for name, kind in KINDS.items() if kind.once_per_object]
    assert {found[name] for name in once_per_object} <= {0, 1}
    assert found["flip"] == 1
    assert found["reset"] > 5


def test_a_mix_spares_what_cannot_be_sent_again() -> None:
    plan = FaultPlan(["mix share=1 most=9"])
    start = RequestFacts("api", "POST", "/storage/us-east/v3/bulk/download/start", "", {})
    put = RequestFacts("blob", "PUT", "/s3/a", "", {})
    assert mixed(plan, start, 20) + mixed(plan, put, 20) == [""] * 40
    token = RequestFacts("token", "POST", "/oauth/v2/token", "", {})
    assert all(name in {"500", "502", "503", "504"} or KINDS[name].mixes(token) for name in mixed(plan, token, 5))


def test_a_mix_changes_no_byte_where_no_checksum_is_known() -> None:
    found = mixed(FaultPlan(["mix share=1 most=1000"]), get("/s3/a", range="bytes=1-"), 900)
    assert "flip" not in found
    assert "short-body" in found


def test_a_mix_can_leave_kinds_out() -> None:
    found = mixed(FaultPlan(["mix share=1 most=1000 without=reset,short-body"]), get(), 300)
    assert not {"reset", "short-body"} & set(found)
    assert "refuse" in found


def test_a_mix_can_be_of_some_kinds_only() -> None:
    plan = FaultPlan(["mix share=1 most=99 only=reset,stall"])
    assert set(mixed(plan, get(), 40)) == {"reset", "stall"}


@pytest.mark.parametrize(
    ("rule", "hint"),
    [
        ("rest", "Did you mean reset?"),
        ("", ""),
        ("reset-after aftr=5", "Did you mean after?"),
        ("reset-after after=middle", "50%"),
        ("reset times=often", "For example 1."),
        ("reset where=here", "Known: any, token, api, blob, bytes."),
        ("reset share=2", ""),
        ("reset skip=-1", ""),
        ("reset blob", "reset-after after=65536"),
        ('reset path="x', ""),
        ("mix only=reset,flop", "Did you mean flip?"),
        ("mix without=flop", "Did you mean flip?"),
        ({"fault": "slow", "rte": 5}, "Did you mean rate?"),
        ({}, "--list-faults"),
    ],
)
def test_a_rule_that_cannot_be_read_is_refused(rule: str | Mapping[str, object], hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        FaultPlan([rule])
    assert hint in caught.value.hint


def test_of_several_rules_all_or_none_are_taken() -> None:
    plan = FaultPlan()
    with pytest.raises(UsageError):
        plan.add("reset", "nonsense")
    assert not plan.active


@pytest.mark.parametrize(
    "text",
    [
        "reset",
        "slow rate=5",
        "reset-after after=50% where=blob times=0",
        'too-many retry-after="a b"',
        MIX,
        "slow times=2",
    ],
)
def test_a_rule_survives_being_written_and_read(text: str) -> None:
    rule = rule_of(text)
    assert rule_of(rule_json(rule)) == rule
    assert rule_of(rule) == rule


def test_every_kind_is_described_in_one_line() -> None:
    lines: list[Any] = [line.split() for line in describe_faults()]
    assert {line[0] for line in lines if line} >= {*KINDS, "mix"}
