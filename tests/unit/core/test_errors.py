"""Errors are sentences, and the tree at the top of the file is true."""

import inspect
import re

import pytest

from cloudstore_tui.core import errors
from cloudstore_tui.core.errors import (
    ForbiddenError,
    LoginError,
    MissingError,
    NetworkError,
    StorageError,
    ThrottledError,
    common_code,
)


def test_the_tree_in_the_docstring_names_every_error_with_its_code() -> None:
    drawn = dict(re.findall(r"(\w+(?:Error|Transfer))\s+(\d+)\s", errors.__doc__ or ""))
    defined = {
        name: str(found.code)
        for name, found in inspect.getmembers(errors, inspect.isclass)
        if issubclass(found, StorageError) and found is not StorageError
    }
    assert drawn == defined


def test_an_error_is_a_sentence_about_the_users_thing() -> None:
    error = MissingError("no such object", subject="acme:x.tar", hint="List the folder: cloudstore ls acme:")
    assert str(error) == "acme:x.tar: no such object. List the folder: cloudstore ls acme:"
    assert str(MissingError("no such object")) == "No such object."


def test_a_batch_has_the_cause_that_all_share_or_one() -> None:
    assert common_code([]) == 0
    assert common_code([LoginError("a"), ForbiddenError("b")]) == 3
    assert common_code([LoginError("a"), MissingError("b")]) == 1


def test_a_subject_is_set_once() -> None:
    error = MissingError("gone").about("acme:a")
    assert error.about("acme:b").subject == "acme:a"


def test_an_error_never_changes_and_its_copies_keep_everything_else() -> None:
    error = ThrottledError("the service asks to wait", wait=3.0, status=429, service_code="slow", service_message="no")
    copy = error.with_(hint="Wait.").about("acme:a")
    with pytest.raises(AttributeError, match="with_"):
        setattr(error, "subject", "acme:b")  # noqa: B010 - the types refuse it, too
    assert (error.subject, error.hint) == ("", "")
    assert type(copy) is ThrottledError
    assert (copy.subject, copy.hint, copy.wait, copy.status) == ("acme:a", "Wait.", 3.0, 429)
    assert (copy.service_code, copy.service_message) == ("slow", "no")


def test_one_error_raised_for_two_callers_is_about_the_thing_of_each() -> None:
    shared = NetworkError("it cannot be reached")
    shown = []
    for address in ("acme:a", "acme:b"):
        with pytest.raises(NetworkError) as caught:
            raise shared.about(address)
        shown.append(str(caught.value))
    assert shown == ["acme:a: it cannot be reached.", "acme:b: it cannot be reached."]
    assert shared.subject == ""
