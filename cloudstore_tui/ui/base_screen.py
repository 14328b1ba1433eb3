"""What all screens and dialogs share."""

from typing import Any, ClassVar, Generic, TypeVar

from textual import events
from textual.await_complete import AwaitComplete
from textual.binding import Binding
from textual.screen import ModalScreen, Screen
from textual.widget import Widget

from cloudstore_tui.ui.report import messages_of, notify_plain
from cloudstore_tui.ui.widgets.chrome import BottomLines, Header, MessageLine

Result = TypeVar("Result")


class BaseScreen(Screen[Result], Generic[Result]):
    """A screen between the lines that all screens have, which closes once, however often it is told to."""

    HAS_HEADER: ClassVar[bool] = True
    """Whether the first line says where the user is; dialogs lie over the screen that they are about."""
    FOOTER: ClassVar[tuple[str, ...]] = ()
    """Ids of the keys that stand first in the footer, in this order."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.header = Header(id="header")

    async def mount_composed_widgets(self, widgets: list[Widget]) -> None:
        """Put what the screen consists of between its first and last lines."""
        head = [self.header] if self.HAS_HEADER else []
        await super().mount_composed_widgets([*head, *widgets, BottomLines()])

    def offers(self, binding: Binding) -> bool:  # noqa: ARG002  # for those that know more
        """Whether an active key would do something with what the cursor is on."""
        return True

    def label_of(self, binding: Binding) -> str:
        """What an active key does now, in the words of the footer."""
        return binding.description

    def action_close(self) -> None:
        """Back to where the user was."""
        self.dismiss(None)

    def on_screen_resume(self) -> None:
        """Show what was told, if that is about what brought this screen to the top."""
        if messages := messages_of(self):
            messages.move()

    def on_screen_suspend(self) -> None:
        """Another screen lies over this one, and tells what there is to be told."""
        for line in self.query(MessageLine):
            line.show(None)

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        """Close with an answer; a second one, as of Enter pressed twice, comes too late."""
        return super().dismiss(result) if self.is_active else AwaitComplete()


class ExplainingScreen(BaseScreen[Result], Generic[Result]):
    """A screen whose keys are in the footer only while they do something, and say otherwise why they do not."""

    def refusal(self, action: str) -> str:  # noqa: ARG002  # for those that know
        """Why an action is not possible now, as a sentence; empty if it is."""
        return ""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Show only keys that do something here."""
        return None if self.refusal(action) else super().check_action(action, parameters)

    def on_key(self, event: events.Key) -> None:
        """Say why a key does nothing here."""
        active = self.active_bindings.get(event.key)
        if active is not None and not active.enabled and active.node is self:
            event.stop()
            notify_plain(self, self.refusal(active.binding.action.partition("(")[0]), "warning")


class BaseModal(ModalScreen[Result], BaseScreen[Result], Generic[Result]):
    """The same over the screen that it is about."""

    HAS_HEADER = False
