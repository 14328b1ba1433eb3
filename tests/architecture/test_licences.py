"""What is installed with the program is under licences that allow everything that its own allows."""

import re
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PERMISSIVE = re.compile(
    r"MIT(-0|-CMU)?|(BSD|Apache|ISC|PSF|Python Software Foundation|Zlib|HPND|0BSD|Unlicense|CC0|curl)\b.*"
    r"|Apache Software License|MIT License"
)


def requirements(name: str, extras: frozenset[str] = frozenset()) -> Iterator[tuple[str, frozenset[str]]]:
    """What a package needs on this machine."""
    for text in distribution(name).requires or ():
        wanted = Requirement(text)
        if wanted.marker is None or any(wanted.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield canonicalize_name(wanted.name), frozenset(wanted.extras)


def everything_installed() -> dict[str, Distribution]:
    """All packages that the program and its extras bring, themselves and through others."""
    found: dict[str, Distribution] = {}
    seen = set()
    extras = frozenset(distribution("cloudstore-tui").metadata.get_all("Provides-Extra") or ())
    ahead = list(requirements("cloudstore-tui", extras))
    while ahead:
        name, extras = ahead.pop()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:
            continue
        ahead += requirements(name, extras)
    return found


def licence(package: Distribution) -> str:
    """What a package says of its licence, the most exact word first."""
    known = package.metadata
    for text in known.get_all("License-Expression") or ():
        return str(text)
    told = [text.split(" :: ")[-1] for text in known.get_all("Classifier") or () if text.startswith("License :: ")]
    exact = [text for text in told if text != "OSI Approved"]
    return " AND ".join(exact) or ((known.get_all("License") or ["none told"])[0]).splitlines()[0]


def is_permissive(licence: str) -> bool:
    """Whether every part is, or one of the parts between which one may choose."""
    return all(
        any(PERMISSIVE.fullmatch(choice.strip("() ")) for choice in part.split(" OR "))
        for part in licence.split(" AND ")
    )


def test_every_library_is_permissive() -> None:
    told = {name: licence(package) for name, package in everything_installed().items()}
    assert len(told) > 20, "the libraries were not found"
    asks_more = {name: text for name, text in told.items() if not is_permissive(text)}
    assert not asks_more


def test_a_licence_that_asks_for_more_is_seen() -> None:
    for licence in (
        "GPL-2.0-or-later",
        "GNU General Public License v2 (GPLv2)",
        "AGPL-3.0-only",
        "none told",
        "MIT AND GPL-3.0-only",
    ):
        assert not is_permissive(licence), licence
    for licence in ("MIT", "BSD-3-Clause", "Apache-2.0", "ISC License (ISCL)", "MIT License", "LGPL-2.1-only OR MIT"):
        assert is_permissive(licence), licence
