"""From the query of a request to a search, as strict as the switches say."""

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime

from cloudstore_tui.core.errors import FilterError, UsageError
from cloudstore_tui.fiql import Comparison, Node, check, comparisons, epoch_ms, parse, parse_time, rewrite
from cloudstore_tui.sandbox.eightbyeight.calls import TAGS
from cloudstore_tui.sandbox.eightbyeight.gateway import Ask, problem
from cloudstore_tui.sandbox.eightbyeight.rules import Rules, number
from cloudstore_tui.sandbox.eightbyeight.search import Search
from cloudstore_tui.sandbox.eightbyeight.stored import FIELDS

LARGEST_PAGE = 100
_HONOURED = 10_000
"""The largest page that is given where any limit is honoured."""

_WINDOW = 10_000
_ALIASES = {"name": "objectName", "size": "storedBytes", "objectId": "id"}
_TIMES = frozenset({"createdTime", "updatedTime"})
_DIRECTIONS = {"ASC": False, "DESC": True}


def search_of(ask: Ask, table: str) -> Search:
    """The search that a request asks for, in the table `object` or `bucket`."""
    query = ask.request.query_params
    aliases = _ALIASES if table == "object" else {"bucketId": "id"}
    text = query.get("filter", "")
    rules = Rules(
        numeric_tags=ask.switch("E-7") == "numeric",
        missing_differs=ask.switch("E-8") == "matches",
        wildcards=ask.switch("E-9") == "wildcards",
        fold=ask.switch("E-9") == "fold",
    )
    sort = query.get("sortField") or "createdTime"
    direction = query.get("sortDirection") or ("ASC" if query.get("sortField") else "DESC")
    if direction not in _DIRECTIONS:
        raise problem(400, "sortDirection must be ASC or DESC", "sortDirection")
    return Search(
        region=ask.region,
        node=_node(ask, text, table, aliases) if "filter" in query else None,
        rules=rules,
        sort=aliases.get(sort, sort),
        descending=_DIRECTIONS[direction],
        offset=_offset(ask),
        limit=_limit(ask),
    )


def _offset(ask: Ask) -> int:
    offset = _whole(ask, "pageKey", 0)
    if offset < 0:
        raise problem(400, "pageKey must not be negative", "pageKey")
    if ask.switch("E-4") == "400" and offset >= _WINDOW:
        raise problem(400, f"Result window is too large: pageKey must be below {_WINDOW}", "pageKey")
    return offset


def _limit(ask: Ask) -> int:
    limit = _whole(ask, "limit", LARGEST_PAGE)
    how = ask.switch("E-1")
    if limit < 1 or (limit > LARGEST_PAGE and how == "400"):
        raise problem(400, f"limit must be between 1 and {LARGEST_PAGE}", "limit")
    return min(limit, _HONOURED if how == "honoured" else LARGEST_PAGE)


def _whole(ask: Ask, name: str, default: int) -> int:
    text = ask.request.query_params.get(name, "")
    if not text:
        return default
    if not text.removeprefix("-").isdecimal() or len(text) > 12:
        raise problem(400, f"{name} must be a whole number", name)
    return int(text)


def _node(ask: Ask, text: str, table: str, aliases: dict[str, str]) -> Node:
    if ask.switch("E-10") == "400" and ("'" in text or '"' in text):
        raise problem(400, "Quotes are not supported in a filter", "filter")
    try:
        node = parse(text)
    except FilterError as error:
        raise problem(400, f"Invalid filter at position {error.position}: {error.message}", "filter") from None
    node = rewrite(node, lambda term: replace(term, selector=aliases.get(term.selector, term.selector)))
    node = rewrite(node, lambda term: _with_time(ask, term))
    for found in check(node, text):
        if found.fatal:
            raise problem(400, f"Invalid filter at position {found.position}: {found.text}", "filter")
    if ask.switch("E-6") == "400":
        _refuse_unknown(node, {*FIELDS[table], *TAGS, *ask.store.tag_keys()})
    return node


def _with_time(ask: Ask, term: Comparison) -> Comparison:
    """Times are epoch milliseconds, or ISO where that is accepted."""
    if term.selector not in _TIMES or all(number(value) is not None for value in term.values):
        return term
    if ask.switch("E-11") == "accepted":
        try:
            now = datetime.fromtimestamp(ask.service.now / 1000, UTC)
            moments = (str(epoch_ms(parse_time(value, UTC, now))) for value in term.values)
            return replace(term, values=tuple(moments))
        except UsageError:
            pass
    position, value = term.start, term.value
    raise problem(400, f"Invalid filter at position {position}: {value!r} is no time in milliseconds", "filter")


def _refuse_unknown(node: Node, known: Collection[str]) -> None:
    for term in comparisons(node):
        if term.selector not in known:
            raise problem(400, f"Unknown field {term.selector!r} at position {term.start}", "filter")
