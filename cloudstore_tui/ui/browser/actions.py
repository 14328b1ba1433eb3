"""What the user can do in the browser: methods, each with its keys, words and conditions beside it.

Each part of the browser has an `ActionGroup`. Its methods with `@Action` become keys of the screen, and appear in the
footer, the help, the palette, `cloudstore keys` and the settings:

    class ListingActions(ActionGroup):
        @Action("o", "Sort", "Choose another order")
        async def sort(self) -> None: ...

The screen lists its groups twice: the classes in `BINDINGS`, the objects in `ActionRunner`. An async method runs in a
worker of the screen; the app's `Boundary` catches and reports what it raises.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from inspect import iscoroutinefunction
from typing import Any, TypeVar

from msgspec import Struct
from textual.binding import Binding
from textual.screen import Screen
from textual.worker import Worker

from cloudstore_tui.core.models import Entry, StoredObject
from cloudstore_tui.core.provider import Capability
from cloudstore_tui.restores import ARCHIVED
from cloudstore_tui.ui.browser.listing import ListingController, ListingState
from cloudstore_tui.ui.format import counted
from cloudstore_tui.ui.report import notify_plain

Method = TypeVar("Method", bound=Callable[..., Any])


class Action(Struct, frozen=True):
    """Declares a method of an `ActionGroup`; its name is that of the action."""

    keys: str
    """Separated by commas."""
    label: str
    """One or two words for the footer."""
    tooltip: str
    """Explains it in help and palette."""
    id: str = ""
    """Its name in the settings; by default `entries.<name>`."""
    shown: bool | None = None
    """Whether the footer shows it; by default all but those that work everywhere."""
    needs: Capability | None = None
    """The ability that the provider must have."""
    when: str = ""
    """The property that says whether it is possible here; by default wherever something is listed."""
    offered: str = ""
    """The property that says whether the footer offers it for the entry under the cursor; the key then says why not."""
    everywhere: bool = False
    """Whether its keys work in every pane, and without a list."""
    in_tree: bool = False
    """Whether its keys also work on a place of the tree."""
    opens: bool = False
    """Whether it opens a line or dialog: keys typed before that is open wait for it."""
    stops_on_escape: bool = False
    """Whether it only reads, so that Escape may stop it at any time."""

    def __call__(self, method: Method) -> Method:
        setattr(method, _MARK, self)
        return method

    def binding(self, name: str) -> Binding:
        show = not self.everywhere if self.shown is None else self.shown
        id_ = self.id or f"entries.{name}"
        return Binding(self.keys, f"run('{name}')", self.label, id=id_, tooltip=self.tooltip, show=show)


_MARK = "declaration"


@dataclass(eq=False)
class ActionGroup:
    """Actions that belong together; fields are what they need."""

    screen: Screen[None]
    listing: ListingController

    @property
    def state(self) -> ListingState:
        """The list. Actions that do not work everywhere run only while there is one."""
        assert self.listing.state is not None
        return self.listing.state

    @property
    def has_rows(self) -> bool:
        return self.listing.state is not None and self.listing.state.store.loaded > 0

    @property
    def on_object(self) -> bool:
        """Whether objects are marked, or the cursor is on one."""
        marks = self.listing.state.store.selection.count if self.listing.state is not None else 0
        return bool(marks) or self.on_file

    @property
    def on_file(self) -> bool:
        return isinstance(self.listing.entry, StoredObject)

    @property
    def on_readable(self) -> bool:
        """Whether the cursor is on an object that can be read."""
        return self.on_file and not self.on_archived

    @property
    def on_archived(self) -> bool:
        """Whether the cursor is on an object that has to be restored first."""
        return isinstance(entry := self.listing.entry, StoredObject) and entry.state == ARCHIVED

    def chosen_objects(self) -> list[StoredObject]:
        """The marked objects, else the one under the cursor; tells the user about folders that are left out."""
        entries = self.chosen()
        objects = [entry for entry in entries if isinstance(entry, StoredObject)]
        folders = len(entries) - len(objects)
        if not entries:
            notify_plain(self.screen, "There is no file here.", "warning")
        elif not objects:
            notify_plain(self.screen, "That's a folder. Open it and pick a file.", "warning")
        elif folders:
            notify_plain(self.screen, f"{counted(folders, 'folder')} left out: this works with files only.", "warning")
        return objects

    def chosen(self) -> list[Entry]:
        """The marked entries, with those of an open range, else the one under the cursor."""
        self.listing.pane.table.end_range()
        marked = self.listing.state.store.marked() if self.listing.state is not None else []
        return marked or ([self.listing.entry] if self.listing.entry is not None else [])


def declarations(group: type) -> Iterator[tuple[str, Action]]:
    """The actions of a group class, in the order of the source."""
    for class_ in reversed(group.mro()):
        for name, value in vars(class_).items():
            if isinstance(declaration := getattr(value, _MARK, None), Action):
                yield name, declaration


def bindings_of(*groups: type) -> list[Binding]:
    """The keys of all actions of these group classes."""
    return [declaration.binding(name) for group in groups for name, declaration in declarations(group)]


class ActionRunner:
    """Starts actions by name, and knows which are possible and which are running."""

    def __init__(self, screen: Screen[None], groups: Sequence[ActionGroup]) -> None:
        self._screen = screen
        self._actions = {
            name: (declaration, group) for group in groups for name, declaration in declarations(type(group))
        }
        self._opening: set[str] = set()

    def start(self, name: str, *details: object) -> None:
        """Run an action; one that changes something is not restarted by a second key."""
        declaration, group = self._actions[name]
        method = getattr(group, name)
        if not iscoroutinefunction(method):
            method(*details)
        elif declaration.stops_on_escape or name not in self._running:
            if declaration.opens:
                self._opening.add(name)
            _: Worker[None] = self._screen.run_worker(
                partial(method, *details), group=_worker_group(name), exclusive=True
            )

    def is_possible(self, name: str, pane: str) -> bool:
        declaration, group = self._actions[name]
        in_tree = declaration.in_tree and pane == "places"
        if not (declaration.everywhere or in_tree or pane in ("entries", "detail")):
            return False
        state = group.listing.state
        if declaration.needs is not None and (state is None or declaration.needs not in state.provider.capabilities):
            return False
        if declaration.when:
            return bool(getattr(group, declaration.when))
        return declaration.everywhere or in_tree or state is not None

    def is_offered(self, name: str) -> bool:
        declaration, group = self._actions[name]
        return not declaration.offered or bool(getattr(group, declaration.offered))

    def is_for_rows(self, name: str) -> bool:
        """Whether it acts on rows of the list."""
        return name in self._actions and not self._actions[name][0].everywhere

    @property
    def is_opening(self) -> bool:
        """Whether an action is about to open a line or dialog."""
        self._opening &= self._running
        return bool(self._opening)

    def stop(self) -> bool:
        """Stop the actions that only read; return whether there were any."""
        stoppable = [name for name in self._running if self._actions[name][0].stops_on_escape]
        for name in stoppable:
            self._screen.workers.cancel_group(self._screen, _worker_group(name))
        return bool(stoppable)

    @property
    def _running(self) -> set[str]:
        groups = {worker.group for worker in self._screen.workers if not worker.is_finished}
        return {name for name in self._actions if _worker_group(name) in groups}


def _worker_group(name: str) -> str:
    return f"action {name}"
