"""`search`: searches with a name, for `find @name` and for the browser."""

from datetime import UTC, datetime

from cloudstore_tui.cli.output import Output
from cloudstore_tui.cli.session import open_config
from cloudstore_tui.config.paths import config_file
from cloudstore_tui.fiql.phrases import phrase_of, understand
from cloudstore_tui.state.searches import FILE, SIGN, SavedSearch, SavedSearches, placeholders_of


def saved_searches() -> SavedSearches:
    """The searches in the file beside the configuration."""
    return SavedSearches(config_file().parent / FILE)


def save_command(name: str, words: tuple[str, ...], where: str, *, as_json: bool) -> None:
    """Save words or a filter under a name. A value written ?name is asked for each time."""
    output, text = Output(as_json=as_json), phrase_of(words)
    if not placeholders_of(text):
        understand(text, open_config().settings.time_zone, datetime.now(UTC))
    profile, _, region = where.partition(":")
    searches = saved_searches()
    searches.save(name.removeprefix(SIGN), text, profile=profile, region=region)
    search = searches.named(name)
    if as_json:
        output.record(_record(search))
    else:
        output.line(f"{SIGN}{search.name}  {search.find}")


def list_command(*, as_json: bool) -> None:
    """List the searches that were saved."""
    output, searches = Output(as_json=as_json), saved_searches()
    found = searches.read().values()
    for search in found:
        if as_json:
            output.record(_record(search))
        else:
            where = ":".join(part for part in (search.profile, search.region) if part)
            output.line(f"{SIGN}{search.name}  {search.find}{f'  ({where})' if where else ''}")
    if not found:
        output.note(f"No search is saved in {searches.path}.")


def remove_command(name: str) -> None:
    """Remove a saved search; the rest of the file stays as it is."""
    searches = saved_searches()
    searches.remove(searches.named(name).name)


def _record(search: SavedSearch) -> dict[str, object]:
    return {
        "name": search.name,
        "find": search.find,
        "placeholders": list(search.placeholders),
        "profile": search.profile,
        "region": search.region,
    }
