"""The ways to somewhere else: up, back, an address, another profile or region."""

from dataclasses import replace
from datetime import tzinfo

from msgspec import structs
from textual.screen import Screen

from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.core.models import Location
from cloudstore_tui.core.provider import Capability, StorageProvider
from cloudstore_tui.state.bookmarks import Bookmark
from cloudstore_tui.state.memory import BrowserState
from cloudstore_tui.ui.browser.actions import ActionGroup, action
from cloudstore_tui.ui.browser.navigation import AddressResolver, Navigator, written
from cloudstore_tui.ui.browser.targets import ALL_REGIONS, NavigationTarget, everything_asked, search_from
from cloudstore_tui.ui.dialogs.picking import Choice, GotoDialog, PickDialog
from cloudstore_tui.ui.report import report

ADD = "Add a profile …"
_HERE = "here"


class NavigationActions(ActionGroup):
    """Leads somewhere else."""

    def __init__(
        self, screen: Screen[None], navigator: Navigator, browser_state: BrowserState, addresses: AddressResolver
    ) -> None:
        super().__init__(screen, navigator.listing)
        self._navigator = navigator
        self._providers = navigator.providers
        self._browser_state = browser_state
        self._addresses = addresses

    def can(self, way: str) -> bool:
        """Whether there is a way `up`, `back`, `forward` or to the `root`."""
        return self._navigator.can(way)

    @action(
        "backspace,minus",
        "Up",
        "Go to the folder that holds this one",
        id="browser.up",
        everywhere=True,
        when=lambda self: self.can("up"),
    )
    def up(self) -> None:
        self._navigator.travel("up")

    @action(
        "H,alt+left",
        "Back",
        "Go back to where you were",
        id="browser.back",
        everywhere=True,
        when=lambda self: self.can("back"),
    )
    def back(self) -> None:
        self._navigator.travel("back")

    @action(
        "L,alt+right",
        "Forward",
        "Go forward again",
        id="browser.forward",
        everywhere=True,
        when=lambda self: self.can("forward"),
    )
    def forward(self) -> None:
        self._navigator.travel("forward")

    @action(
        "backslash",
        "Top",
        "Go to the top of this profile",
        id="browser.root",
        everywhere=True,
        when=lambda self: self.can("root"),
    )
    def root(self) -> None:
        self._navigator.travel("root")

    @action(
        "0",
        "Path",
        "Go to a part of the path in the first line",
        id="browser.path",
        everywhere=True,
        opens=True,
        when=lambda self: self.listing.state is not None,
    )
    async def path(self) -> None:
        crumbs = self._navigator.target.crumbs if self._navigator.target is not None else ()
        picks = [Choice(crumb.text) for crumb in crumbs]
        picked = await self.screen.app.push_screen_wait(PickDialog("Path", picks, max(len(picks) - 2, 0)))
        if picked is not None and (location := crumbs[picked.index].location) is not None:
            self._navigator.go(location)

    @action("ctrl+g", "Go to", "Go to an address or known place", id="browser.goto", everywhere=True, opens=True)
    async def goto(self) -> None:
        state = self.listing.state
        text = written(state.target.location) if state else ""
        profiles = [f"{name}:" for name in self._providers]
        while True:
            known = self._known()
            picks = [_pick(one) for one in known]
            answer = await self.screen.app.push_screen_wait(GotoDialog(text, profiles, picks, self._addresses.names_in))
            if answer is None:
                return
            try:
                if isinstance(answer, str):
                    text = answer
                    self._addresses.to(self._addresses.locate(answer))
                else:
                    self._go_to(known[answer.index])
            except StorageError as error:
                report(self.screen, error)
            else:
                return

    def _go_to(self, known: Bookmark | Location) -> None:
        if isinstance(known, Bookmark):
            self._addresses.to_bookmark(known)
        else:
            self._addresses.to(known)

    def _known(self) -> list[Bookmark | Location]:
        """The bookmarks, then the recent places without that which is shown."""
        try:
            marks = list(self._browser_state.bookmarks.read().values())
        except StorageError as error:
            report(self.screen, error)
            marks = []
        here = self.listing.state.target.location if self.listing.state else None
        recent = [
            place for place in self._browser_state.recent.places if place != here and place.profile in self._providers
        ]
        return [*marks, *recent]

    @action("P", "Profile", "Go to another profile", everywhere=True, opens=True)
    async def profile(self) -> None:
        """Ask for one, and go to where the user was last in it."""
        names = list(self._providers)
        here = self._navigator.target.location.profile if self._navigator.target else ""
        picks = [*(Choice(name, self._note(name, here)) for name in names), Choice(ADD)]
        at = names.index(here) if here in names else 0
        picked = await self.screen.app.push_screen_wait(PickDialog("Profile", picks, at))
        if picked is not None and picked.index == len(names):
            await self.screen.run_action("app.setup('add')")
            return
        if picked is None or names[picked.index] == here:
            return
        provider = self._providers[names[picked.index]]
        self._navigator.begin(self._browser_state.recent.last([provider.profile.name]) or provider.locate(""))

    def _note(self, name: str, here: str) -> str:
        profile, last = self._providers[name].profile, self._browser_state.recent.last([name])
        terms = (_HERE if name == here else "", profile.provider, "read-only" if profile.read_only else "")
        return " · ".join(part for part in (*terms, last.address if last and name != here else "") if part)

    @action(
        "R",
        "Region",
        "Show another region, or all of them",
        needs=Capability.SEARCH,
        everywhere=True,
        opens=True,
        stops_on_escape=True,
    )
    async def region(self) -> None:
        state = self.listing.state
        if state is None:
            return
        target, provider = state.target, state.provider
        with self.listing.doing("asking for the regions…"):
            page = await provider.folders(Location(target.location.profile))
        for failure in page.failures:
            report(self.screen, failure)
        names = ["", *(folder.location.region for folder in page.items)]
        now = target.location.region
        picks = [Choice(name or ALL_REGIONS, _HERE if name == now else "") for name in names]
        at = names.index(now) if now in names else 0
        picked = await self.screen.app.push_screen_wait(PickDialog("Region", picks, at))
        if picked is not None and self._navigator.target is target:
            self._navigator.open(target_in(target, names[picked.index], provider, self.listing.zone))


def target_in(target: NavigationTarget, region: str, provider: StorageProvider, zone: tzinfo) -> NavigationTarget:
    """The same in another region: what was searched for, or the same place; a place of all regions is a search.

    Args:
        target: what is shown.
        region: empty for all of them.
        provider: of the target.
        zone: what days, and times without a zone, are in.

    Raises:
        StorageError: there can be no such place.
    """
    location, query = target.location, target.query
    where, there = Location(location.profile, region), structs.replace(location, region=region, path="")
    if query is None:
        return NavigationTarget(there, provider.query(there)) if region else NavigationTarget(where)
    if region and not target.written:
        return NavigationTarget(there, provider.query(there))
    moved = structs.replace(query, location=where)
    if region or not location.place:
        return replace(target, location=there, query=moved, written=True)
    found = search_from(provider, where, everything_asked(provider, target, zone), zone)
    return replace(found, query=moved, local=target.local)


def _pick(known: Bookmark | Location) -> Choice:
    return Choice(known.name, known.address) if isinstance(known, Bookmark) else Choice(written(known), "recent")
