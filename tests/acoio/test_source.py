"""A file shows what its bytes in memory show, wherever it is looked at."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acoio.header import HEADER_BYTES
from acoio.source import FileSource, MemorySource

SIZE = 400_000  # over several windows
DATA = np.random.default_rng(1).bytes(SIZE)


@pytest.fixture(scope="module")
def handle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    path = tmp_path_factory.mktemp("source") / "file"
    path.write_bytes(DATA)
    opened = os.open(path, os.O_RDONLY)
    yield opened
    os.close(opened)


@given(places=st.lists(st.integers(0, SIZE - HEADER_BYTES), max_size=30))
def test_headers_are_those_of_memory_in_any_order(handle: int, places: list[int]) -> None:
    memory, file = MemorySource(DATA), FileSource(handle)
    assert file.size == memory.size
    assert [file.head(at) for at in places] == [memory.head(at) for at in places]


def test_a_file_that_has_shrunk_holds_no_header_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(DATA)
    opened = os.open(path, os.O_RDONLY)
    try:
        file = FileSource(opened)
        os.truncate(path, 1000)
        assert not any(file.head(300_000))
        assert file.block(990, 1010) == DATA[990:1000] + bytes(10)
    finally:
        os.close(opened)
