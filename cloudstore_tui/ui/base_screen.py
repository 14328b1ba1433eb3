"""What all screens and dialogs share."""

from typing import Generic, TypeVar

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen, Screen

Result = TypeVar("Result")


class BaseScreen(Screen[Result], Generic[Result]):
    """A screen that closes once, however often it is told to."""

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        """Close with an answer; a second one, as of Enter pressed twice, comes too late."""
        return super().dismiss(result) if self.is_active else AwaitComplete()


class BaseModal(ModalScreen[Result], BaseScreen[Result], Generic[Result]):
    """The same over the screen that it is about."""
