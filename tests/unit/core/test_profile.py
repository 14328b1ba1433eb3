"""A secret never shows itself."""

import copy
import json
import pickle

import pytest

from cloudstore_tui.core.profile import Secret

CANARY = "canary-7f3a"


def test_no_way_of_printing_shows_the_text() -> None:
    secret = Secret(CANARY)
    shown = [str(secret), repr(secret), f"{secret}", f"{secret!r}", f"{secret:>20}", str([secret])]
    assert not [text for text in shown if CANARY in text]
    assert secret.reveal() == CANARY


def test_a_secret_does_not_travel() -> None:
    for way in (pickle.dumps, copy.copy, copy.deepcopy, json.dumps):
        with pytest.raises(TypeError):
            way(Secret(CANARY))


def test_secrets_compare_by_their_text() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert not Secret("")
