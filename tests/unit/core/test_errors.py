"""Errors are sentences, and the tree at the top of the file is true."""

import inspect
import re

from cloudstore_tui.core import errors
from cloudstore_tui.core.errors import ForbiddenError, LoginError, MissingError, StorageError, common_code


def test_the_tree_in_the_docstring_names_every_error_with_its_code() -> None:
    drawn = dict(re.findall(r"(\w+(?:Error|Transfer))\s+(\d+)\s", errors.__doc__ or ""))
    defined = {
        name: str(found.code)
        for name, found in inspect.getmembers(errors, inspect.isclass)
        if issubclass(found, StorageError) and found is not StorageError
    }
    assert drawn == defined


def test_an_error_is_a_sentence_about_the_users_thing() -> None:
    error = MissingError("no such object", place="acme:x.tar", cure="List the folder: cloudstore ls acme:")
    assert str(error) == "acme:x.tar: no such object. List the folder: cloudstore ls acme:"
    assert str(MissingError("no such object")) == "No such object."


def test_a_batch_has_the_cause_that_all_share_or_one() -> None:
    assert common_code([]) == 0
    assert common_code([LoginError("a"), ForbiddenError("b")]) == 3
    assert common_code([LoginError("a"), MissingError("b")]) == 1


def test_a_place_is_set_once() -> None:
    error = MissingError("gone").at("acme:a")
    assert error.at("acme:b").place == "acme:a"
