"""What is generated from the program is as the program makes it: the reference of commands and keys, the pictures."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudstore_tui.config.profiles import COMMON, Config, load_config
from cloudstore_tui.config.settings import SETTINGS
from cloudstore_tui.providers import PROVIDERS
from cloudstore_tui.sandbox.server import Sandbox
from docs import make as docs
from screenshots import make as screenshots

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("page", ["commands.md", "keys.md"])
def test_a_generated_page_is_current(page: str) -> None:
    kept = (ROOT / "docs" / page).read_text(encoding="utf-8")
    assert kept == docs.pages()[page], "run docs/make.py"


@pytest.fixture(scope="module")
def shown() -> Iterator[Config]:
    """A sandbox for all pictures: none changes what another one shows."""
    with Sandbox(screenshots.OPTIONS) as ready:
        yield load_config(ready.config, PROVIDERS)


@pytest.mark.parametrize("picture", screenshots.PICTURES, ids=lambda picture: picture.name)
async def test_a_picture_is_current(picture: screenshots.Picture, shown: Config, tmp_path: Path) -> None:
    kept = screenshots.kept_picture(picture)
    made = await screenshots.shoot(picture, shown, tmp_path, kept, screenshots.PATIENCE)
    assert made == kept, "run screenshots/make.py, and look at what it made"


def test_every_picture_that_is_shown_is_made_and_the_other_way_round() -> None:
    made = {f"{picture.name}.svg" for picture in screenshots.PICTURES} | {"movie.svg"}
    assert {path.name for path in (ROOT / "screenshots").glob("*.svg")} == made
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    shown = set(re.findall(r"\]\((?:\.\./)?screenshots/([\w-]+\.svg)\)", "".join(map(_text, pages))))
    assert shown == made


def test_every_link_between_the_pages_leads_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    for page in pages:
        for path, heading in re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)", _text(page)):
            target = (page.parent / path).resolve() if path else page
            assert target.exists(), f"{page.name}: {path}"
            if heading:
                titles = re.findall(r"^#+ (.*)", _text(target), re.M)
                assert heading in {_anchor(title) for title in titles}, f"{page.name}: #{heading}"


def test_the_page_of_the_configuration_names_every_key_and_its_example_can_be_used(tmp_path: Path) -> None:
    page = _text(ROOT / "docs" / "configuration.md")
    options = [*SETTINGS, *COMMON, *(option for spec in PROVIDERS for option in spec.options)]
    assert [option.name for option in options if not re.search(rf"\b{option.name}\b", page)] == []
    path = tmp_path / "config.toml"
    path.write_text(page.partition("```toml\n")[2].partition("```")[0], encoding="utf-8")
    path.chmod(0o600)
    config = load_config(path, PROVIDERS)
    assert set(config.profiles) == {"acme", "acme8"}
    assert config.profile("acme8").retention is not None


def _anchor(title: str) -> str:
    """The anchor that GitHub gives to a heading."""
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def test_what_a_picture_shows_is_compared_and_not_how_it_is_written() -> None:
    kept = screenshots.kept_picture(screenshots.PICTURES[0])
    cells = screenshots.cells(kept)
    assert "".join(cell[1] for place, cell in sorted(cells.items()) if place[0] == 0 and cell[1:])[:5] == "cloud"
    rewritten = re.sub(r"terminal-(r\d+|line)", r"other-\1", kept)
    assert rewritten != kept
    assert screenshots.cells(rewritten) == cells
    for old, new in (("Alvaria", "AlvariA"), (";font-weight: bold", ""), ("fill: #", "fill: #f")):
        assert screenshots.cells(kept.replace(old, new)) != cells, old


def test_what_is_different_each_time_is_masked_and_stays_as_long() -> None:
    one = ">EXAMPLE%2F20240902%2Fus<0240902T120453Z&amp;X-Amz-Signature=01a1fe1a36<>http://127.0.0.1:41234<>token&#160;28&#160;min<"
    other = ">EXAMPLE%2F20270328%2Fus<0270328T120614Z&amp;X-Amz-Signature=7a9dbb6d87<>http://127.0.0.1:35001<>token&#160;29&#160;min<"
    assert screenshots.masked(one) == screenshots.masked(other)
    assert len(screenshots.masked(one).split("<")[0]) == len(one.split("<")[0])


def test_every_test_that_the_threat_model_names_exists() -> None:
    named = re.findall(
        r"`(tests/[\w/]+\.py)::(test_\w+)`", (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
    )
    assert len(named) > 30
    missing = [
        f"{path}::{name}"
        for path, name in named
        if not (ROOT / path).is_file() or f"def {name}(" not in (ROOT / path).read_text(encoding="utf-8")
    ]
    assert not missing


def test_every_module_that_the_map_of_the_code_names_is_there() -> None:
    rows = re.findall(r"^\| (`.+?) \|.+?\|(.+?)\|.+?\|$", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.M)
    assert len(rows) > 10
    for folders, modules in rows:
        # What stands in brackets is no name of a module.
        named = re.findall(r"`([a-z_/]+)`", re.sub(r"\([^()]*\)", "", modules))
        for folder in re.findall(r"`([a-z_.]+)`", folders):
            inside = ROOT / "cloudstore_tui" / folder
            gone = [name for name in named if not any(inside.glob(f"**/{name.rstrip('/')}*"))]
            assert gone == [], f"CONTRIBUTING.md names in {folder}: {gone}"
