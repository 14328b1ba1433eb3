"""Rows in the order in which they came, folders first."""

from array import array
from collections.abc import Iterable, Mapping

from cloudstore_tui.results.row_store import Row


class Arrivals:
    """Row numbers: first those of folders, then those of objects, each in order of arrival."""

    def __init__(self) -> None:
        self.numbers = array("I")
        self._folders = 0

    def add(self, rows: Iterable[Row]) -> bool:
        """Add rows to the end of their kind; whether all of them are at the very end."""
        folders, objects = array("I"), array("I")
        for row in rows:
            (folders if row.is_folder else objects).append(row.number)
        in_place = not folders or self._folders == len(self.numbers)
        self.numbers[self._folders : self._folders] = folders
        self._folders += len(folders)
        self.numbers.extend(objects)
        return in_place

    def remove(self, gone: set[int]) -> None:
        """Forget rows."""
        self._folders -= sum(number in gone for number in self.numbers[: self._folders])
        self.numbers = array("I", [number for number in self.numbers if number not in gone])

    def replace(self, seen: Mapping[int, bool]) -> None:
        """Take over another order of rows, each with whether it is a folder."""
        self.numbers = array("I", [number for number, is_folder in seen.items() if is_folder])
        self._folders = len(self.numbers)
        self.numbers.extend([number for number, is_folder in seen.items() if not is_folder])
