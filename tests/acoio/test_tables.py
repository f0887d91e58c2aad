"""Tables of other programs are read as they are; no cell that we write is run as a formula."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acoio.errors import DataError
from acoio.tables import (
    Row,
    check_unsplit,
    count,
    csv_table,
    number,
    parse_number,
    read_lines,
    read_table,
    read_text,
    utc,
)

ROWS = [("a.wav", 120.5, "boing"), ("b.wav", 0.0, "é")]


def _row(row: Row) -> tuple[str, float, str]:
    return row["file"], number(row, "low_hz"), row["label"]


def _read(tmp_path: Path, content: bytes) -> list[tuple[str, float, str]]:
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    return read_table(path, ("file", "low_hz", "label"), _row)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
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
        (b"file,low_hz,label\na\n", "line 2: found 1 cells, wanted 3 at least, up to label; write"),
        (b"file,low_hz\n", "no column label, wanted file, low_hz, label, parted by"),
        (b"file,low_hz,label\na,1,x\nb,2,\xe9\n", "line 3: found no UTF-8: .*; save it as UTF-8"),
        (b"", "found no column file"),
        (b"file,low_hz,label,file\n", "line 1: found two columns file, wanted one; rename"),
        (b"file,low_hz,label,FILE\n", "line 1: found two columns file"),
        (b"file,low_hz,label,x,X,x\n", "line 1: found two columns x"),
        (b"file,low_hz,label\na,1\n", "line 2: found 2 cells, wanted 3 at least, up to label"),
        (b"file;low_hz;label\na;1,000;x\n", "line 2: low_hz: .*thousands.*; write 1000 or 1.000"),
        (b"file,low_hz,label\na,1_000,x\n", "line 2: low_hz: found '1_000', wanted a number"),
        (b'file,low_hz,label\na,1,x\nb,1,"x\nc,1,y\n', "line 3: found no CSV: .*each quote twice"),
        (b'file,low_hz,label\na,1,"x\ny"\nb,-,z\n', "line 4: low_hz: found '-', wanted a number"),
        (b'file,low_hz,label\nb,1,"x"y\n', "line 2: found no CSV: "),
        (b"sep=|\nfile|low_hz|label\n", "line 1: found no column file, .*parted by commas"),
        ("file,low_hz,label\n".encode("utf-16-le"), "line 1: found UTF-16 without"),
        ("file,low_hz,label\n".encode("utf-32"), "line 1: found .*UTF-32; save it as UTF-8"),
        (b"file,low_hz,label\ra,1,\xe9\r", "line 2: found no UTF-8: "),
        ("file\n".encode("utf-16")[:-1], "line 1: found no UTF-8: truncated"),
    ],
)
def test_what_cannot_be_read_names_its_line_and_the_remedy(
    tmp_path: Path, content: bytes, says: str
) -> None:
    with pytest.raises(DataError, match=says):
        _read(tmp_path, content)


@pytest.mark.parametrize(
    "text",
    [
        "sep=;\nfile;low_hz;label\na.wav;120,5;boing\nb.wav;0;é\n",
        '"sep=,"\r\nfile,low_hz,label\r\na.wav,120.5,boing\r\nb.wav,0,é\r\n',
        "\n ;; \nfile;low_hz;label\n\na.wav;120,5;boing\n\t\nb.wav;0;é\n",
        "File\tLow_Hz\t LABEL \na.wav\t120,5\tboing\n\t\t\nb.wav\t0\té\n",
        '"","file","low_hz","label"\n"1","a.wav",120.5,"boing"\n"2","b.wav",0,"é"\n',
        "label;low_hz;Tiefe, m, etwa, x;file\nboing;120,5;1;a.wav\né;0;;b.wav\n",
        "file,low_hz,label,more\na.wav,120.5,boing,\nb.wav,0,é\n",
    ],
)
def test_what_is_unambiguous_is_read(tmp_path: Path, text: str) -> None:
    assert _read(tmp_path, text.encode()) == ROWS


def _noted(tmp_path: Path, text: str) -> list[tuple[float, str]]:
    def made(row: Row) -> tuple[float, str]:
        for name in ("label", "note"):
            check_unsplit(row, name)
        return number(row, "high_hz"), row["label"]

    (tmp_path / "t.csv").write_text(text)
    columns, optional = ("low_hz", "high_hz", "label"), ("note",)
    return read_table(tmp_path / "t.csv", columns, made, optional=optional)


def test_a_decimal_comma_that_a_line_has_room_for_is_refused(tmp_path: Path) -> None:
    head = "low_hz,high_hz,label,note\n"
    says = "line 3: label: found '40,5', one number .*; write 40.5 or 40.0,5, or part .*semicolons"
    with pytest.raises(DataError, match=says):
        _noted(tmp_path, head + "20,40,whale\n20,40,5,whale\n")
    with pytest.raises(DataError, match="line 2: note: found '40,5'"):
        _noted(tmp_path, "label,low_hz,high_hz,note\nwhale,20,40,5\n")
    assert _noted(tmp_path, head + "20,40.0,5,x\n") == [(40, "5")]
    assert _noted(tmp_path, head.replace(",", ";") + "20;40,5;whale\n20;40;5\n") == [
        (40.5, "whale"),
        (40, "5"),
    ]


@pytest.mark.parametrize("text", ["1,000", "-12,345", " 999,000"])
def test_a_comma_that_may_part_thousands_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"thousands or decimals; write -?\d+ or -?\d+\.\d+$"):
        parse_number(text)


@given(st.floats(-1e6, 1e6).filter(lambda x: len(repr(x).partition(".")[2]) != 3))
def test_a_number_is_the_same_with_a_decimal_comma(value: float) -> None:
    assert parse_number(repr(value).replace(".", ",")) == parse_number(repr(value)) == value


def test_a_point_that_may_part_thousands_beside_a_decimal_comma_is_refused() -> None:
    row = Row.of(["low_hz", "high_hz"], ["0,5", "1.200"], ";")
    with pytest.raises(ValueError, match=r"high_hz: .*decimals; write 1200 or 1,2000"):
        number(row, "high_hz")
    assert parse_number("1,2000") == number(Row.of(["high_hz"], ["1.200"], ";"), "high_hz") == 1.2


def test_three_decimals_that_part_no_thousands_are_read() -> None:
    assert [parse_number(x) for x in ("0,125", "1234,567", "1.000")] == [0.125, 1234.567, 1]


@pytest.mark.parametrize(
    "cell", ["", "15.01.2024 12:00", "1/15/2024", "45306.5", "0001-01-01T00:00+05:00"]
)
def test_a_time_that_is_none_of_iso_8601_is_refused_with_its_column(cell: str) -> None:
    row = Row.of(["begin"], [cell], ",")
    with pytest.raises(ValueError, match=r"begin: found .*, wanted a time in UTC, as 2018-10-28T"):
        utc(row, "begin")


def test_a_whole_number_may_be_written_as_another(tmp_path: Path) -> None:
    assert [count(Row.of(["n"], [x], ";"), "n") for x in ("7", "7.0", "7,0")] == [7, 7, 7]
    for cell in ("7,5", "inf", "nan"):
        with pytest.raises(ValueError, match=f"n: found '{cell}', wanted a whole number"):
            count(Row.of(["n"], [cell], ";"), "n")


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"))))
def test_lines_are_the_same_however_they_end(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    path = tmp_path_factory.getbasetemp() / "lines.txt"
    for end in ("\n", "\r\n", "\r"):
        path.write_bytes(b"\xef\xbb\xbf" + end.join(lines).encode())
        assert read_lines(path) == (lines or [""])
        assert read_text(path) == end.join(lines)


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
