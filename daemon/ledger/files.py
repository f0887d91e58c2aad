"""The files that a ledger knows, of which a station has a hundred thousand a year.

In memory are those with something left to do, and those that are in the drop, as a scan asks
for each of them.  All others are read from the ledger when they are asked for.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

from daemon.progress import FileProgress

_COLUMN_NAMES: Final = FileProgress.__slots__
_COLUMNS: Final = ", ".join(_COLUMN_NAMES)
_MARKS: Final = ", ".join("?" * len(_COLUMN_NAMES))
_RECENT: Final = 1000

_UNFINISHED: Final = "state IN ('pending', 'set_aside') OR rehear"
_LEADING: Final = "head != '' AND twin = '' AND state IN ('pending', 'done')"
INDICES: Final = f"""
CREATE INDEX IF NOT EXISTS files_unfinished ON files (name) WHERE {_UNFINISHED};
CREATE INDEX IF NOT EXISTS files_by_head ON files (head) WHERE {_LEADING};
CREATE INDEX IF NOT EXISTS files_by_twin ON files (twin) WHERE twin != '';
"""


class Files(Mapping[str, FileProgress]):
    """How far each file was read, by its name; the ledger alone changes it.

    `unfinished` are those of which something is left to read, to hear again or to be asked
    for by a person.
    """

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._unfinished = {file.name: file for file in self._found(f"WHERE {_UNFINISHED}")}
        self._asked: dict[str, FileProgress | None] = {}
        self.unfinished = self._unfinished.values()

    def __getitem__(self, name: str) -> FileProgress:
        file = self._unfinished.get(name)
        if file is None:
            file = self._asked[name] if name in self._asked else self._look_up(name)
        if file is None:
            raise KeyError(name)
        return file

    def __iter__(self) -> Iterator[str]:
        return (name for (name,) in self._database.execute("SELECT name FROM files ORDER BY name"))

    def __len__(self) -> int:
        (count,) = self._database.execute("SELECT count(*) FROM files").fetchone()
        return int(count)

    def alike(self, file: FileProgress) -> FileProgress | None:
        """Return another file that begins with the same bytes, and is no copy itself, or None."""
        where = f"WHERE head = ? AND head_bytes = ? AND name != ? AND {_LEADING} ORDER BY rowid"
        return next(self._found(f"{where} LIMIT 1", file.head, file.head_bytes, file.name), None)

    def copies_of(self, name: str) -> list[FileProgress]:
        """Return the files that are, or may be, copies of one."""
        return list(self._found("WHERE twin = ? AND twin != '' ORDER BY name", name))

    def read_of_late(self) -> tuple[int, int]:
        """Return how many bytes held sound, and how many samples, in the files read last."""
        query = (
            "SELECT total(bytes_read - damaged_bytes), total(samples_read) FROM "
            f"(SELECT * FROM files ORDER BY rowid DESC LIMIT {_RECENT})"
        )
        bytes_read, samples = self._database.execute(query).fetchone()
        return int(bytes_read), int(samples)

    def write(self, files: Iterable[FileProgress]) -> None:
        """Write files, within a transaction."""
        self._database.executemany(
            f"INSERT OR REPLACE INTO files ({_COLUMNS}) VALUES ({_MARKS})",
            [tuple(getattr(file, column) for column in _COLUMN_NAMES) for file in files],
        )

    def delete(self, names: Iterable[str]) -> None:
        """Delete files, within a transaction."""
        self._database.executemany("DELETE FROM files WHERE name = ?", [(name,) for name in names])

    def take(self, files: Iterable[FileProgress]) -> None:
        """Take up files that were written, once that is committed."""
        for file in files:
            self.forget((file.name,))
            if file.state in ("pending", "set_aside") or file.rehear:
                self._unfinished[file.name] = file
            else:
                self._asked[file.name] = file

    def forget(self, names: Iterable[str]) -> None:
        """Forget files that were deleted, once that is committed."""
        for name in names:
            self._unfinished.pop(name, None)
            self._asked.pop(name, None)

    def hold(self, names: Collection[str]) -> None:
        """Hold no finished files in memory but some of these: they will be asked for again."""
        for name in self._asked.keys() - names:
            del self._asked[name]

    def _look_up(self, name: str) -> FileProgress | None:
        file = next(self._found("WHERE name = ?", name), None)
        self._asked[name] = file
        return file

    def _found(self, where: str, *values: str | int) -> Iterator[FileProgress]:
        rows = self._database.execute(f"SELECT {_COLUMNS} FROM files {where}", values)
        return (FileProgress(*row) for row in rows.fetchall())
