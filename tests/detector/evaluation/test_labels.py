from datetime import UTC, datetime
from pathlib import Path

import pytest

from acoio.errors import DataError, NotReadyError
from detector.evaluation.labels import read_clip_labels, read_labels

HEAD = "begin_utc,end_utc,low_hz,high_hz,label,note\n"
ROW = "2016-02-18T08:15:01Z,2016-02-18T08:15:02.5Z,230,290,song,by eye\n"


def _table(folder: Path, text: str) -> Path:
    (folder / "labels.csv").write_text(text)
    return folder / "labels.csv"


def test_labels_are_read_in_utc_and_a_faint_one_is_told_by_its_note(tmp_path: Path) -> None:
    rows = ROW + "2016-02-18T10:15:01+02:00,2016-02-18T08:15:03,0,12000,background,Faint streaks\n"
    one, two = read_labels(_table(tmp_path, HEAD + rows))
    assert one.truth.begin == datetime(2016, 2, 18, 8, 15, 1, tzinfo=UTC) == two.truth.begin
    assert (one.truth.label, one.truth.low_hz, one.faint, two.faint) == ("song", 230, False, True)


def test_a_note_may_be_left_out_where_it_is_empty_and_its_column_is_of_any_case(
    tmp_path: Path,
) -> None:
    rows = ROW.replace(",by eye", ",FAINT") + ROW.replace(",by eye", "")
    labels = read_labels(_table(tmp_path, HEAD.upper() + rows))
    assert [(label.truth.label, label.faint) for label in labels] == [
        ("song", True),
        ("song", False),
    ]


def test_a_note_is_not_needed(tmp_path: Path) -> None:
    text = HEAD.replace(",note", "") + ROW.replace(",by eye", "")
    assert [label.faint for label in read_labels(_table(tmp_path, text))] == [False]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("begin_utc,label\n", "found no column end_utc, low_hz, high_hz"),
        ("", "found no column"),
        (HEAD + ROW.replace("230", "x"), "line 2: low_hz: found 'x', wanted a number"),
        (HEAD + ROW.replace("230", "300"), "line 2: found 300 to 290 Hz"),
        (HEAD + ROW.replace("290", "nan"), "line 2: found 230 to nan Hz"),
        (HEAD + ROW + ROW.replace(":02.5Z", ":00Z"), "line 3: found an end"),
        (HEAD + "2016-02-18T08:15:01Z\n", "line 2: "),
        (HEAD + ROW.replace("230,290,song,by eye", "20,40,5,whale"), "line 2: label: found '40,5'"),
        (HEAD + ROW.replace("230,290,song,by eye", "20,5,40,5,whale"), "line 2: found 7 cells"),
        (HEAD + ROW.replace(",song,by eye", ""), "line 2: found 4 cells, wanted 5 at least"),
        (
            HEAD + ROW.replace("T08:15:01Z", " 8h"),
            "line 2: begin_utc: found '2016-02-18 8h', wanted",
        ),
        (HEAD + ROW.replace("song", " "), "line 2: label: found an empty cell"),
    ],
)
def test_a_table_that_cannot_be_says_where(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(DataError, match=rf"labels\.csv.*{reason}"):
        read_labels(_table(tmp_path, text))


def test_a_table_that_is_not_there_is_not_ready(tmp_path: Path) -> None:
    with pytest.raises(NotReadyError, match=r"labels\.csv: No such file"):
        read_labels(tmp_path / "labels.csv")


def test_clip_labels_are_files_and_labels(tmp_path: Path) -> None:
    assert read_clip_labels(_table(tmp_path, "label,file,x\nfin,a.wav,1\n")) == [("a.wav", "fin")]
