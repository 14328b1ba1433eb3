"""The command palette: every action that works where it is opened."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from textual.binding import Binding
from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.dom import DOMNode
from textual.types import IgnoreReturnCallbackType

from cloudstore_tui.config.keymap import is_off


@dataclass(frozen=True, slots=True)
class _Command:
    text: str
    help: str
    run: IgnoreReturnCallbackType


class ActionCommands(Provider):
    """Commands made of the active bindings, so that nothing has to be listed twice."""

    async def discover(self) -> Hits:
        """All of them."""
        for command in self._commands():
            yield DiscoveryHit(command.text, command.run, help=command.help)

    async def search(self, query: str) -> Hits:
        """Those whose words match."""
        matcher = self.matcher(query)
        for command in self._commands():
            score = max(matcher.match(command.text), matcher.match(command.help) * 0.8)
            if score > 0:
                yield Hit(score, matcher.highlight(command.text), command.run, help=command.help)

    def _commands(self) -> Iterator[_Command]:
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
                shown.append(self.app.get_key_display(binding))
        for (node, action), binding in actions.items():
            names = " ".join(keys[node, action])
            text = f"{binding.description}  {names}".rstrip()
            yield _Command(text, binding.tooltip, partial(self.app.run_action, action, node))
