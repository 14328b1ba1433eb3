"""The base classes of all screens and dialogs."""

from typing import Any, ClassVar, Generic, TypeVar

from textual import events
from textual.await_complete import AwaitComplete
from textual.binding import Binding
from textual.screen import ModalScreen, Screen
from textual.widget import Widget

from cloudstore_tui.ui.keys import key_display
from cloudstore_tui.ui.report import messages_of, notify_plain
from cloudstore_tui.ui.widgets.chrome import BottomLines, Header, MessageLine

Result = TypeVar("Result")


class BaseScreen(Screen[Result], Generic[Result]):
    """Adds header, message line and footer to a screen, and lets it be dismissed only once."""

    HAS_HEADER: ClassVar[bool] = True
    """Dialogs have none: they lie over the screen that they are about."""
    FOOTER: ClassVar[tuple[str, ...]] = ()
    """Ids of the bindings that come first in the footer, in this order."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.header = Header(id="header")

    async def mount_composed_widgets(self, widgets: list[Widget]) -> None:
        """Mount the widgets of the screen between header and footer."""
        head = [self.header] if self.HAS_HEADER else []
        await super().mount_composed_widgets([*head, *widgets, BottomLines()])

    def offers(self, binding: Binding) -> bool:  # noqa: ARG002  # for subclasses
        """Whether the footer shows an active binding."""
        return True

    def label_of(self, binding: Binding) -> str:
        """The label of an active binding in the footer."""
        return binding.description

    def key_of(self, binding: Binding) -> str:
        """The key of an active binding in the footer."""
        return key_display(self.app, binding)

    def action_close(self) -> None:
        """Go back to the screen below."""
        self.dismiss(None)

    def on_screen_resume(self) -> None:
        """Keep the message only if it is about what brought this screen to the top."""
        if messages := messages_of(self):
            messages.on_screen_change()

    def on_screen_suspend(self) -> None:
        """Hide the message: the screen that covers this one shows it."""
        for line in self.query(MessageLine):
            line.show(None)

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        """Close with a result; a second call, as from Enter pressed twice, is ignored."""
        return super().dismiss(result) if self.is_active else AwaitComplete()


class ExplainingScreen(BaseScreen[Result], Generic[Result]):
    """A screen whose keys say why they do nothing, and are in the footer only while they do something."""

    def refusal(self, action: str) -> str:  # noqa: ARG002  # for subclasses
        """Why an action is not possible now, as a sentence; empty if it is."""
        return ""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Disable actions that are refused."""
        return None if self.refusal(action) else super().check_action(action, parameters)

    def on_key(self, event: events.Key) -> None:
        """Show why a key does nothing."""
        active = self.active_bindings.get(event.key)
        if active is not None and not active.enabled and active.node is self:
            event.stop()
            notify_plain(self, self.refusal(active.binding.action.partition("(")[0]), "warning")


class BaseModal(ModalScreen[Result], BaseScreen[Result], Generic[Result]):
    """A base screen that lies over another one."""

    HAS_HEADER = False
