"""The wheel carries everything the program needs, and works where nothing else of the checkout is."""

import json
import subprocess
import sys
import sysconfig
import venv
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from cloudstore_tui import __version__
from cloudstore_tui.sandbox.server import Ready
from tests.support.environment import own_environment

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=100)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new virtual environment with the wheel in it, as an installer puts it there: unpacked, and its entry point.

    The dependencies are those of this environment, without the checkout.
    """
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder)
    (site_packages,) = (folder / "lib").glob("python*/site-packages")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(site_packages)
    (known,) = metadata.distributions(name="cloudstore-tui", path=[str(site_packages)])
    (entry,) = known.entry_points.select(group="console_scripts", name="cloudstore")
    script = folder / "bin" / entry.name
    script.write_text(f"#!{folder / 'bin' / 'python'}\nfrom {entry.module} import {entry.attr}\n{entry.attr}()\n")
    script.chmod(0o700)
    # Folders named in a .pth file are searched, but .pth files inside them are not read: the editable checkout is not.
    (site_packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin"


def test_the_wheel_holds_every_theme_style_sheet_and_module(wheel: Path) -> None:
    packed = set(zipfile.ZipFile(wheel).namelist())
    package = ROOT / "cloudstore_tui"
    sources = [path for path in package.rglob("*") if path.suffix in {".py", ".tcss", ".lark", ".typed"}]
    assert {str(path.relative_to(ROOT)) for path in sources} <= packed
    themes = {f"cloudstore_tui/themes/{path.name}" for path in (ROOT / "themes").glob("*.toml")}
    assert themes
    assert themes <= packed


def test_an_installed_wheel_lists_a_folder_of_the_sandbox(installed: Path, ready: Ready, tmp_path: Path) -> None:
    environment = own_environment(tmp_path, CLOUDSTORE_CONFIG=str(ready.config))

    def cloudstore(*arguments: str) -> str:
        command = [str(installed / "cloudstore"), *arguments]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True, timeout=60
        )
        return done.stdout

    assert cloudstore("--version").strip() == f"cloudstore, version {__version__}"
    assert [json.loads(line)["key"] for line in cloudstore("ls", "acme:", "--json").splitlines()] == [
        "exports/",
        "imports/",
    ]
    assert "cloudstore-dark" in cloudstore("themes")


def test_the_changelog_begins_with_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = [line.split("[")[1].split("]")[0] for line in text.splitlines() if line.startswith("## [")]
    assert next(version for version in versions if version != "Unreleased") == __version__
    assert f'version = "{__version__}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
