"""Tables of other programs are read as they are; no cell that we write is run as a formula."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acoio.errors import DataError
from acoio.tables import Row, csv_table, number, read_table

ROWS = [("a.wav", 120.5, "boing"), ("b.wav", 0.0, "é")]


def _row(row: Row) -> tuple[str, float, str]:
    return row["file"], number(row, "low_hz"), row["label"]


def _read(tmp_path: Path, content: bytes) -> list[tuple[str, float, str]]:
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    return read_table(path, ("file", "low_hz", "label"), _row)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_every_mark_separator_and_end_of_line_is_read(
    tmp_path: Path, encoding: str, separator: str, end: str
) -> None:
    decimal = "120.5" if separator == "," else "120,5"
    lines = [("file", "low_hz", "label", ""), ("a.wav", decimal, "boing", ""),
             ("", "", "", ""), ("b.wav", "0", '"é"'), ()]  # fmt: skip
    text = "".join(separator.join(cells) + end for cells in lines)
    assert _read(tmp_path, text.encode(encoding)) == ROWS


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"file,low_hz,label\na,1,x\nb,120,5,y\n", "line 3: found 4 cells, wanted 3; .*semicolons"),
        (b"file,low_hz,label\na,,x\n", "line 2: low_hz: found an empty cell, wanted a number"),
        (b"file,low_hz,label\na\n", "line 2: low_hz: found an empty cell"),
        (b"file,low_hz\n", "no column label, wanted file, low_hz, label, parted by"),
        (b"file,low_hz,label\na,1,x\nb,2,\xe9\n", "line 3: found no UTF-8: .*; save it as UTF-8"),
        (b"", "found no column file"),
    ],
)
def test_what_cannot_be_read_names_its_line_and_the_remedy(
    tmp_path: Path, content: bytes, says: str
) -> None:
    with pytest.raises(DataError, match=says):
        _read(tmp_path, content)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6))
def test_text_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "round.csv"
    for cell in (text, f"={text}", f"'{text}", f"'-{text}"):
        path.write_text(csv_table(("file", "label"), [{"file": "a", "label": cell}]), newline="")
        assert read_table(path, ("label",), lambda row: row["label"]) == [cell]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\r=1", "'=1"])
def test_no_cell_of_text_begins_as_a_formula_and_numbers_stay_numbers(text: str) -> None:
    table = csv_table(("label", "level_db"), [{"label": text, "level_db": -3.5}])
    (row,) = csv.DictReader(io.StringIO(table, newline=""))
    assert row["label"].startswith("'")
    assert float(row["level_db"]) == -3.5
