"""`GET objectKeys` of both versions: which entries, page by page."""

from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import Request

from cloudstore_tui.sandbox.alvaria.page_token import key_of, token_of
from cloudstore_tui.sandbox.alvaria.store import Item, Span, Store
from cloudstore_tui.sandbox.alvaria.tree import V3_ONLY
from cloudstore_tui.sandbox.alvaria.wire import entry
from cloudstore_tui.sandbox.switches import Switches

MOST = 1000
"""Entries of a page, whatever was asked for."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries as the service prints them."""

    entries: list[dict[str, Any]]
    token: str
    """Where the next page starts; empty at the end."""
    total: int
    """Entries of all pages."""


class BadToken(Exception):  # noqa: N818 - an answer to the client, no failure of the sandbox
    """A page token that nobody gave out."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What one request may see, and how it is told."""

    store: Store
    switches: Switches
    request: Request
    version: str

    def visible(self, item: Item | None) -> Item | None:
        """An item, unless the version of the request does not know it."""
        return item if item and (self._v3 or not item.key.startswith(V3_ONLY)) else None

    def page(self, key: str, kind: str, most: int, token: str) -> Page | None:
        """One page for a key and a key type, in the order of UTF-8 bytes; `None` where there is nothing.

        Raises:
            BadToken: the token is not one for such a page.
        """
        if kind == "directory":
            return self._tree(key, token)
        file = self.visible(self.store.file(key))
        if file:
            return Page([self._entry(file)], "", 1)
        span = self._span(key, kind)
        if span is None:
            return None
        after = ""
        if token:
            found = key_of(token, self.version)
            if found is None or not found.startswith(span.start):
                raise BadToken
            after = found
        own = self._own(key, kind)
        first = [own] if own and not after else []
        page = self._level(span, after, most - len(first), token)
        if not page.total and not after and self._on("A-7", "404"):
            return None
        entries = [self._entry(item) for item in first] + page.entries
        return replace(page, entries=entries, total=page.total + bool(own))

    def _level(self, span: Span, after: str, most: int, token: str) -> Page:
        inclusive = bool(after) and self._on("A-11", "inclusive")
        # Of a page that starts with an entry told before, one entry alone would never get on.
        most = max(most, 2) if inclusive else most
        # What is right in a folder comes after the folder itself.
        start = after or (span.start if span.level == span.start else "")
        items = self.store.page(span, start, most + 1, inclusive=inclusive)
        shown = items[:most]
        last = shown[-1].key if shown else after or span.start
        following = token_of(last, self.version, quoted=self._on("A-11", "quoted"))
        ending = self.switches.value("A-end", self.request)
        if ending == "no":
            following = token or following
        elif ending == "yes" and len(items) <= most:
            following = ""
        return Page([self._entry(item) for item in shown], following, self.store.count(span))

    def _span(self, key: str, kind: str) -> Span | None:
        """What a listing is about; `None` where there is nothing."""
        item = self.visible(self.store.get(key))
        folders = kind == "file:directory"
        if not item and (key.endswith("/") or not self._on("A-6", "prefix")):
            return None
        level = key if key.endswith("/") else key.rpartition("/")[0] + "/"
        span = Span(key, level if folders else None, folders=folders, v3=self._v3)
        return span if item or self.store.count(span) else None

    def _own(self, key: str, kind: str) -> Item | None:
        """The folder itself, where it is named among what is in it."""
        if kind != "file:directory" or not key.endswith("/") or not self._on("A-9", "yes"):
            return None
        return self.store.get(key)

    def _tree(self, key: str, token: str) -> Page | None:
        """A folder with all folders below it, each inside its parent; never in pages."""
        if token:
            raise BadToken
        if not key.endswith("/") and not self._on("A-6", "prefix"):
            return None
        folders = self.store.page(Span(key, files=False, folders=True, v3=self._v3), "", 100_000)
        nodes = {item.key: self._entry(item) for item in folders}
        roots: list[dict[str, Any]] = []
        for folder, node in nodes.items():
            parent = nodes.get(folder.rstrip("/").rpartition("/")[0] + "/")
            (roots if parent is None else parent.setdefault("childObjectKeys", [])).append(node)
        for node in nodes.values():
            # The vendor's samples show an empty entry inside a folder without folders.
            node.setdefault("childObjectKeys", [{}])
        return Page(roots, "", len(nodes)) if roots else None

    def _entry(self, item: Item) -> dict[str, Any]:
        return entry(item, self.switches.value("A-15", self.request))

    @property
    def _v3(self) -> bool:
        return self.version == "v3" or self._on("A-21", "visible")

    def _on(self, switch: str, value: str) -> bool:
        return self.switches.value(switch, self.request) == value
