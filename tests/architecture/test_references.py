"""What is generated from the program is as the program makes it: the reference of commands and keys, the pictures."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


def script(path: str) -> ModuleType:
    """A script of the project, which is in no package."""
    name = path.removesuffix(".py").replace("/", "_")
    spec = spec_from_file_location(name, ROOT / path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    # A class of data looks its own module up there.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


DOCS, SCREENSHOTS = script("docs/make.py"), script("screenshots/make.py")


@pytest.mark.parametrize("page", ["commands.md", "keys.md"])
def test_a_generated_page_is_current(page: str) -> None:
    kept = (ROOT / "docs" / page).read_text(encoding="utf-8")
    assert kept == DOCS.pages()[page], "run docs/make.py"


@pytest.mark.parametrize("picture", SCREENSHOTS.PICTURES, ids=lambda picture: picture.name)
async def test_a_picture_is_current(picture: object) -> None:
    for _ in range(3):
        # A busy machine may be slower than the picture waits for it.
        wrong = SCREENSHOTS.out_of_date(await SCREENSHOTS.make([picture]))
        if not wrong:
            return
    assert wrong == [], "run screenshots/make.py, and look at what it made"


def test_every_picture_that_is_shown_is_made_and_the_other_way_round() -> None:
    made = {f"{picture.name}.svg" for picture in SCREENSHOTS.PICTURES}
    assert {path.name for path in (ROOT / "screenshots").glob("*.svg")} == made
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name in sorted(made) if name not in readme] == []


def test_another_picture_is_seen(tmp_path: Path) -> None:
    kept = tmp_path / "x.svg"
    assert not SCREENSHOTS.is_current(kept, "<svg/>")
    kept.write_text("<svg/>")
    assert SCREENSHOTS.is_current(kept, "<svg/>")
    assert not SCREENSHOTS.is_current(kept, "<svg></svg>")


def test_what_is_different_each_time_is_masked_and_stays_as_long() -> None:
    one = ">EXAMPLE%2F20240902%2Fus<0240902T120453Z&amp;X-Amz-Signature=01a1fe1a36<>http://127.0.0.1:41234<>token&#160;28&#160;min<"
    other = ">EXAMPLE%2F20270328%2Fus<0270328T120614Z&amp;X-Amz-Signature=7a9dbb6d87<>http://127.0.0.1:35001<>token&#160;29&#160;min<"
    assert SCREENSHOTS.masked(one) == SCREENSHOTS.masked(other)
    assert len(SCREENSHOTS.masked(one).split("<")[0]) == len(one.split("<")[0])
