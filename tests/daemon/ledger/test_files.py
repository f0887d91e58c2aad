"""The files of a ledger are a mapping by name, whatever of it is in memory."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.ledger.files import Files
from daemon.ledger.schema import prepare
from daemon.progress import FileProgress

_NAMES = [f"2024/{k}" for k in range(6)]
_STATES = ["pending", "done", "duplicate", "set_aside", "vanished"]
_FILES = st.builds(
    FileProgress,
    st.sampled_from(_NAMES),
    size=st.integers(0, 2**62),
    bytes_read=st.integers(10, 2**40),
    damaged_bytes=st.integers(0, 10),
    samples_read=st.integers(0, 2**40),
    state=st.sampled_from(_STATES),
    head=st.sampled_from(["", "aa", "bb"]),
    head_bytes=st.sampled_from([10, 4096]),
    twin=st.sampled_from(["", *_NAMES]),
    rehear=st.booleans(),
)
_STEPS = st.lists(
    st.one_of(
        st.lists(_FILES, max_size=3, unique_by=lambda file: file.name),
        st.sampled_from([*_NAMES, "open again", "scan"]),
    ),
    max_size=12,
)


@settings(max_examples=40)
@given(_STEPS)
def test_files_are_those_of_a_plain_mapping_however_few_are_in_memory(
    steps: list[list[FileProgress] | str],
) -> None:
    with closing(sqlite3.connect(":memory:")) as database:
        prepare(database)
        files, plain = Files(database), dict[str, FileProgress]()
        for step in steps:
            if step == "open again":
                files = Files(database)
            elif step == "scan":
                files.hold(_NAMES[:2])
            elif isinstance(step, str):
                files.delete([step])
                files.forget([step])
                plain.pop(step, None)
            else:
                files.write(step)
                files.take(step)
                plain |= {file.name: file for file in step}
            _compare(files, plain)


def _compare(files: Files, plain: dict[str, FileProgress]) -> None:
    assert {name: files.get(name) for name in _NAMES} == {name: plain.get(name) for name in _NAMES}
    assert dict(files) == plain
    assert len(files) == len(plain)
    unfinished = [f for f in plain.values() if f.state in ("pending", "set_aside") or f.rehear]
    assert sorted(files.unfinished, key=_name) == sorted(unfinished, key=_name)
    for name in _NAMES:
        assert files.copies_of(name) == sorted(
            (f for f in plain.values() if f.twin == name), key=_name
        )
    wanted = FileProgress("another", head="aa", head_bytes=4096)
    leads = {f.name for f in plain.values() if _leads(f, wanted)}
    found = files.alike(wanted)
    assert (found.name in leads) if found else not leads
    bytes_read = sum(f.bytes_read - f.damaged_bytes for f in plain.values())
    assert files.read_of_late() == (bytes_read, sum(f.samples_read for f in plain.values()))


def _name(file: FileProgress) -> str:
    return file.name


def _leads(file: FileProgress, wanted: FileProgress) -> bool:
    same = (file.head, file.head_bytes) == (wanted.head, wanted.head_bytes)
    return same and not file.twin and file.state in ("pending", "done")


def test_a_file_is_not_alike_itself() -> None:
    with closing(sqlite3.connect(":memory:")) as database:
        prepare(database)
        files = Files(database)
        one = FileProgress("a", head="aa", head_bytes=4096)
        files.write([one])
        files.take([one])
        assert files.alike(one) is None
        other = replace(one, name="b")
        assert files.alike(other) == one
