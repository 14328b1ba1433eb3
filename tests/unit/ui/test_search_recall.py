"""Going back through what was sent."""

from cloudstore_tui.ui.browser.search_line import Recall, matching

LINES = ("a==1", "type:calls since:today", "b==2")


def test_back_to_the_oldest_and_forward_to_what_was_being_typed() -> None:
    walk = Recall()
    assert [walk.older(LINES, "half") for _ in range(4)] == ["b==2", "type:calls since:today", "a==1", None]
    assert [walk.newer() for _ in range(4)] == ["type:calls since:today", "b==2", "half", None]
    assert not walk.is_back


def test_what_is_there_already_is_passed_over() -> None:
    assert Recall().older(LINES, "b==2") == "type:calls since:today"


def test_after_typing_it_begins_at_the_newest_again() -> None:
    walk = Recall()
    walk.older(LINES, "")
    walk.forget()
    assert walk.newer() is None
    assert walk.older(LINES, "x") == "b==2"


def test_lines_are_found_by_their_words_the_newest_first() -> None:
    assert matching(LINES, "") == LINES[::-1]
    assert matching(LINES, "TODAY calls") == ("type:calls since:today",)
    assert matching(LINES, "nothing") == ()
