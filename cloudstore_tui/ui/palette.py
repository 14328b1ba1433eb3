"""The command palette: every action that works where it is opened, and the themes."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

from msgspec import Struct, field
from textual import on
from textual.app import App
from textual.binding import ActiveBinding
from textual.dom import DOMNode
from textual.fuzzy import Matcher
from textual.screen import Screen
from textual.widgets import OptionList

from cloudstore_tui.config.keymap import is_off
from cloudstore_tui.ui.dialogs.picking import Choice, ChoiceResult, PickDialog
from cloudstore_tui.ui.keys import is_move, key_display
from cloudstore_tui.ui.themes import ThemeManager

MAX_RECENT = 5
"""Recent commands that are listed first."""
_TITLE, _KEYS = 20, 10
"""Cells of names and of keys."""
_IN_TOOLTIP = 0.8
_IS_IN_IT = 1.0
"""Weight of a fuzzy match in the tooltip, and bonus if all words occur as typed."""


class PaletteCommand(Struct):
    """One action and how to run it."""

    title: str
    tooltip: str
    run: Callable[[], object]
    rank: int
    """Position while nothing is typed: 0 for actions in the footer, up to 3."""
    keys: list[str] = field(default_factory=list)

    @property
    def pick(self) -> Choice:
        keys = " ".join(self.keys)
        return Choice(
            f"{self.title:{_TITLE}}{keys if len(keys) <= _KEYS else self.keys[0]:{_KEYS}}".rstrip(), self.tooltip
        )

    def score(self, matcher: Matcher, words: Sequence[str]) -> float:
        """How well it matches the typed text; 0 if not at all."""
        best = max(matcher.match(self.title), matcher.match(self.tooltip) * _IN_TOOLTIP)
        text = f"{self.title} {self.tooltip}".casefold()
        return best + _IS_IN_IT * all(word in text for word in words) if best else 0.0


def commands_of(app: App[Any], screen: Screen[Any], recent: Iterable[str] = ()) -> list[PaletteCommand]:
    """A command for each action of the active bindings: recent ones, then those of this screen, then the others."""
    found: dict[tuple[DOMNode, str], PaletteCommand] = {}
    for active in screen.active_bindings.values():
        binding = active.binding
        if not (binding.tooltip and binding.description and active.enabled):
            continue
        where = (active.node, binding.action)
        command = found.setdefault(where, _command(app, active))
        if not is_off(binding.key):
            command.keys.append(key_display(app, binding))
    themes = getattr(app, "themes", None)
    commands = [*found.values()]
    if isinstance(themes, ThemeManager) and len(themes.names) > 1:
        commands.append(
            PaletteCommand(
                "Themes …", "Choose the colours, light or dark; they show while you move", _themes(app, themes), 2
            )
        )
    order = {title: place for place, title in enumerate(recent)}
    return sorted(commands, key=lambda command: (order.get(command.title, len(order)), command.rank))


def _command(app: App[Any], active: ActiveBinding) -> PaletteCommand:
    binding, node = active.binding, active.node
    return PaletteCommand(
        binding.description, binding.tooltip, lambda: app.run_action(binding.action, node), _rank(app, active)
    )


def _rank(app: App[Any], active: ActiveBinding) -> int:
    if is_move(active.binding):
        return 3
    if active.node is app:
        return 2
    return 0 if active.binding.show else 1


def _themes(app: App[Any], themes: ThemeManager) -> Callable[[], object]:
    def keep(picked: ChoiceResult | None) -> None:
        if picked is not None:
            themes.pick(themes.names[picked.index])

    return lambda: app.push_screen(ThemeDialog(themes, app.theme), keep)


class CommandDialog(PickDialog):
    """Finds commands by fuzzy matching; Enter runs one."""

    HINT: ClassVar[str] = "Type to find; Enter runs it."

    def __init__(self, commands: Sequence[PaletteCommand]) -> None:
        super().__init__("Everything you can do here", [command.pick for command in commands], verb="Run")
        self._commands = tuple(commands)

    def matching(self, typed: str) -> list[int]:
        """Matching commands, the best first; all while nothing is typed."""
        if not typed.strip():
            return list(range(len(self._commands)))
        matcher, words = Matcher(typed), typed.casefold().split()
        scores = [command.score(matcher, words) for command in self._commands]
        return sorted((place for place, score in enumerate(scores) if score), key=lambda place: -scores[place])


class ThemeDialog(PickDialog):
    """Previews the theme under the cursor; Esc restores the previous one."""

    HINT: ClassVar[str] = "Move to try one; Enter keeps it."

    def __init__(self, themes: ThemeManager, before: str) -> None:
        names = themes.names
        at = names.index(before) if before in names else 0
        super().__init__("Themes", [Choice(name) for name in names], at=at, verb="Use")
        self._themes = themes
        self._before = before

    @on(OptionList.OptionHighlighted)
    def try_on(self, event: OptionList.OptionHighlighted) -> None:
        self._themes.use(self._themes.names[self.shown[event.option_index]])

    def action_cancel(self) -> None:
        self._themes.use(self._before)
        super().action_cancel()


def open_palette(app: App[Any], recent: list[str]) -> None:
    """Open the palette for the top screen; `recent` has the titles of chosen commands, the last one first."""
    commands = commands_of(app, app.screen, recent)

    def run(picked: ChoiceResult | None) -> None:
        if picked is not None:
            command = commands[picked.index]
            recent[:] = [command.title, *(title for title in recent if title != command.title)][:MAX_RECENT]
            app.call_next(command.run)

    app.push_screen(CommandDialog(commands), run)
