"""A sound knows which file each of its stretches is from, whatever is made of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acoio.annotations import FileSpan
from acoio.errors import DataError
from acoio.labels import Label
from acoio.load import read
from acoio.sound import Sound

from .feeds import RATE_HZ, begins_us, feed, noise, write_feed

N = 12 * 4096
FILES = ("a", "b", "c")


def _whole() -> Sound:
    """Return three files that follow each other, each of four records, joined."""
    wave, marks = noise(12), begins_us(12)
    parts = [
        Sound(wave[k * 4096 : (k + 4) * 4096], RATE_HZ, marks[k : k + 4], file=name)
        for k, name in zip(range(0, 12, 4), FILES, strict=True)
    ]
    return parts[0] @ parts[2] @ parts[1]


WHOLE = _whole()


def _of(sound: Sound) -> list[tuple[int, str, int]]:
    return [(x.at, x.file, x.sample) for x in sound.origins]


def test_what_is_joined_keeps_its_origins() -> None:
    assert _of(WHOLE) == [(0, "a", 0), (16384, "b", 0), (32768, "c", 0)]
    assert WHOLE.files == FILES


@given(first=st.integers(0, N - 1), length=st.integers(1, N))
def test_a_piece_cut_anywhere_names_the_file_and_sample_of_its_first(
    first: int, length: int
) -> None:
    piece = WHOLE.piece(first, first + length)
    k = first // 16384
    assert (piece.file, piece.sample) == (FILES[k], first - k * 16384)
    again = WHOLE.piece(0, first + length).piece(first, N)
    assert _of(again) == _of(piece)


@given(cut=st.integers(1, N - 1))
def test_origins_cut_anywhere_and_joined_are_the_same(cut: int) -> None:
    assert _of(WHOLE.piece(0, cut) @ WHOLE.piece(cut, N)) == _of(WHOLE)


def test_filters_keep_origins_and_another_rate_moves_them() -> None:
    assert _of(WHOLE.highpass(20)) == _of(WHOLE)
    assert _of(WHOLE.resample_fs(12_000)) == [(0, "a", 0), (8192, "b", 0), (16384, "c", 0)]


def test_a_label_and_a_picture_name_the_file_that_the_sound_is_in() -> None:
    piece = WHOLE.piece(20_000, 30_000)
    label = Label.of(piece, "boing")
    assert (label.file, label.sample) == ("b", 20_000 - 16384)
    assert WHOLE.View("raw").get_title(loc="left") == "a … c"
    assert piece.View("raw").get_title(loc="left") == "b"


def test_a_sound_of_several_files_is_no_file() -> None:
    with pytest.raises(DataError, match="found pieces of 3 files"):
        FileSpan.of(WHOLE)


def test_records_that_a_file_lacks_are_not_counted_after_the_gap(tmp_path: Path) -> None:
    content = feed(noise(12), bits=16)
    size = 36 + 512 * 16
    sound = read(write_feed(tmp_path, content[: 5 * size] + content[7 * size :]))
    assert [x.sample - x.at for x in sound.origins] == [0, -2 * 4096]
    after = sound[sound.gaps[0].end :]
    assert after.sample == 5 * 4096
    assert np.array_equal(after.samples, noise(12)[7 * 4096 :])


def test_a_sound_is_shown_in_a_line_of_facts() -> None:
    told = repr(WHOLE[timedelta(0) : timedelta(seconds=1)])
    assert told == (
        "<Sound 2024-03-01 06:00:00.000 to 2024-03-01 06:00:01.000 UTC, 1.000 s at 24000 Hz, "
        "no gaps, a … b>"
    )
    assert repr(replace(WHOLE, file="", later=())).endswith("no gaps>")
