"""The command palette: every action that works where it is opened, and the themes."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from textual.binding import Binding
from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.dom import DOMNode
from textual.types import IgnoreReturnCallbackType

from cloudstore_tui.config.keymap import is_off
from cloudstore_tui.ui.base_screen import BaseScreen
from cloudstore_tui.ui.looks import Looks
from cloudstore_tui.ui.terminal.reach import key_display


class Palette(CommandPalette, BaseScreen[None]):
    """Textual's, closed once by Enter that is pressed twice."""


@dataclass(frozen=True, slots=True)
class _Command:
    text: str
    help: str
    run: IgnoreReturnCallbackType


class _Commands(Provider, ABC):
    """Commands that are found by their words."""

    @abstractmethod
    def commands(self) -> Iterator[_Command]:
        """All that can be found."""

    async def discover(self) -> Hits:
        """All of them."""
        for command in self.commands():
            yield DiscoveryHit(command.text, command.run, help=command.help)

    async def search(self, query: str) -> Hits:
        """Those whose words match."""
        matcher = self.matcher(query)
        for command in self.commands():
            score = max(matcher.match(command.text), matcher.match(command.help) * 0.8)
            if score > 0:
                yield Hit(score, matcher.highlight(command.text), command.run, help=command.help)


class ActionCommands(_Commands):
    """Commands made of the active bindings, so that nothing has to be listed twice."""

    def commands(self) -> Iterator[_Command]:
        """What has a key here."""
        keys: dict[tuple[DOMNode, str], list[str]] = {}
        actions: dict[tuple[DOMNode, str], Binding] = {}
        for active in self.screen.active_bindings.values():
            binding = active.binding
            if not (binding.tooltip and binding.description and active.enabled):
                continue
            what = (active.node, binding.action)
            actions.setdefault(what, binding)
            shown = keys.setdefault(what, [])
            if not is_off(binding.key):
                shown.append(key_display(self.app, binding))
        for (node, action), binding in actions.items():
            names = " ".join(keys[node, action])
            text = f"{binding.description}  {names}".rstrip()
            yield _Command(text, binding.tooltip, partial(self.app.run_action, action, node))


class ThemeCommands(_Commands):
    """A command for each theme; it holds at once, and in the next run."""

    def commands(self) -> Iterator[_Command]:
        """All themes but the one that is worn."""
        looks = getattr(self.app, "looks", None)
        if isinstance(looks, Looks):
            for name in looks.names:
                if name != self.app.theme:
                    yield _Command(f"Theme: {name}", f"Use the colours of {name}", partial(looks.pick, name))
