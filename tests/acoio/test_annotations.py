"""Marks in Raven's and Audacity's tables are where they were in UTC, over any list of files."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acoio.annotations import Annotation, FileSpan, Timeline
from acoio.audacity import read_audacity, write_audacity
from acoio.clock import from_us, to_us
from acoio.errors import DataError, NotReadyError
from acoio.load import read
from acoio.raven import read_raven, write_raven
from acoio.sound import Gap, Sound

from .feeds import BEGIN, NAME, RATE_HZ, begins_us, feed, noise, write_feed

EXACT = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
TRUE_HZ = 24_000.127


def span(name: str, begin: datetime, samples: int) -> FileSpan:
    end = begin + timedelta(microseconds=round(samples / TRUE_HZ * 1e6))
    return FileSpan(name, begin, end, samples, RATE_HZ)


def real_list() -> list[FileSpan]:
    """Return files of 1757 and 1758 records that join, and one after a gap of an hour."""
    one = span("2018-10-28--00.00.HYD24BBpk", BEGIN, 1757 * 4096)
    two = span("2018-10-28--00.05.HYD24BBpk", one.end, 1758 * 4096)
    three = span("2018-10-28--01.10.HYD24BBpk", two.end + timedelta(hours=1), 1000 * 4096)
    return [one, two, three]


@st.composite
def lists_of_files(draw: st.DrawFn) -> list[FileSpan]:
    files, begin = [], BEGIN
    for k in range(draw(st.integers(1, 5))):
        begin += timedelta(microseconds=draw(st.integers(0, 10**10)) if k % 2 else 0)
        files.append(span(f"file {k}.HYD24BBpk", begin, draw(st.integers(4096, 10**7))))
        begin = files[-1].end
    return files


CELLS = st.text(
    st.characters(exclude_characters="\t\r\n", exclude_categories=["Cs"]), min_size=1, max_size=12
)
COLUMNS = st.sampled_from(["Delta Time (s)", "Peak Freq (Hz)", "Ärger", "Notes"])


@st.composite
def marked(draw: st.DrawFn) -> tuple[list[FileSpan], list[Annotation]]:
    files = draw(lists_of_files())
    found = []
    for _ in range(draw(st.integers(0, 5))):
        first, last = sorted(draw(st.tuples(*[st.integers(0, len(files) - 1)] * 2)))
        length_us = to_us(files[first].end) - to_us(files[first].begin)
        begin_us = to_us(files[first].begin) + draw(st.integers(0, length_us - 1))
        lowest = max(begin_us, to_us(files[last].begin)) + 1
        end_us = draw(st.integers(lowest, to_us(files[last].end)))
        low_hz, high_hz = sorted(draw(st.tuples(*[st.floats(0, 12_000)] * 2)))
        extra = draw(st.dictionaries(COLUMNS, CELLS, max_size=3))
        found.append(
            Annotation(
                begin=from_us(begin_us),
                end=from_us(end_us),
                low_hz=low_hz,
                high_hz=high_hz,
                label=draw(CELLS | st.just("")),
                channel=draw(st.integers(1, 4)),
                extra=tuple(sorted(extra.items())),
            )
        )
    return files, found


def plain(annotations: tuple[Annotation, ...] | list[Annotation]) -> list[Annotation]:
    return [
        Annotation(a.begin, a.end, a.low_hz, a.high_hz, a.label, a.channel, tuple(sorted(a.extra)))
        for a in annotations
    ]


@EXACT
@given(marked())
def test_a_selection_table_gives_back_what_was_written(
    tmp_path: Path, case: tuple[list[FileSpan], list[Annotation]]
) -> None:
    files, annotations = case
    write_raven(tmp_path / "table.txt", annotations, files)
    assert plain(read_raven(tmp_path / "table.txt", files)) == annotations


@EXACT
@given(marked())
def test_a_label_track_gives_back_what_was_written(
    tmp_path: Path, case: tuple[list[FileSpan], list[Annotation]]
) -> None:
    files, annotations = case
    write_audacity(tmp_path / "labels.txt", annotations, files)
    kept = [Annotation(a.begin, a.end, a.low_hz, a.high_hz, a.label) for a in annotations]
    assert list(read_audacity(tmp_path / "labels.txt", files)) == kept


def test_seconds_run_over_the_list_at_the_nominal_rate_without_the_gaps(tmp_path: Path) -> None:
    files = real_list()
    # Sample 24,000 of the third file, counted by hand: one nominal second into it.
    begin = files[2].begin + timedelta(microseconds=round(24_000 / TRUE_HZ * 1e6))
    mark = Annotation(begin, begin + timedelta(seconds=2), 80, 300, "song")
    write_raven(tmp_path / "table.txt", [mark], files)
    header, line = (tmp_path / "table.txt").read_text().splitlines()
    row = dict(zip(header.split("\t"), line.split("\t"), strict=True))
    before_s = (1757 + 1758) * 4096 / 24_000
    assert float(row["Begin Time (s)"]) == pytest.approx(before_s + 1, abs=1e-6)
    assert float(row["File Offset (s)"]) == pytest.approx(1, abs=1e-6)
    assert row["Begin File"] == files[2].name
    assert (row["Selection"], row["View"], row["Channel"]) == ("1", "Spectrogram 1", "1")


RAVEN = """Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\t\
Begin File\tFile Offset (s)\tAvg Power (dB)\tSpecies
1\tWaveform 1\t1\t10.0\t12.0\t\t\t{name}\t10.0\t\tMn
1\tSpectrogram 1\t1\t10.0\t12.0\t80.0\t300.0\t{name}\t10.0\t61.3\tMn
2\tWaveform 1\t1\t20.0\t21.0\t\t\t{name}\t20.0\t\t
"""


def test_a_table_by_raven_is_read_with_its_own_columns(tmp_path: Path) -> None:
    files = real_list()
    path = tmp_path / "table.txt"
    path.write_text(RAVEN.format(name="2018-10-28--00.05.wav"), encoding="utf-8-sig")
    one, two = read_raven(path, files)
    # The table was made over the second file alone: its name and offset are believed.
    seconds = (one.begin - files[1].begin).total_seconds()
    assert seconds == pytest.approx(10 * 24_000 / TRUE_HZ, abs=1e-6)
    assert (one.low_hz, one.high_hz, one.label) == (80.0, 300.0, "Mn")
    assert one.extra == (("Avg Power (dB)", "61.3"),)
    assert (two.low_hz, two.high_hz, two.extra) == (None, None, ())


def test_a_table_without_file_names_is_read_over_the_list(tmp_path: Path) -> None:
    files = real_list()
    path = tmp_path / "table.txt"
    start_s = 1757 * 4096 / 24_000
    path.write_text(f"Begin Time (s)\tEnd Time (s)\r\n{start_s + 3}\t{start_s + 4}\r\n")
    (found,) = read_raven(path, files)
    assert (found.begin - files[1].begin).total_seconds() == pytest.approx(3, abs=2e-5)


def test_a_mark_over_a_gap_keeps_its_ends_and_one_within_it_is_refused(tmp_path: Path) -> None:
    files = real_list()
    second = timedelta(seconds=1)
    over = Annotation(files[1].end - second, files[2].begin + second, 10, 20)
    late = Annotation(files[1].end + second, files[2].begin + second, 10, 20)
    path = tmp_path / "table.txt"
    write_raven(path, [over, late], files)
    assert [a.begin for a in read_raven(path, files)] == [over.begin, files[2].begin]
    within = Annotation(files[1].end + second, files[1].end + 2 * second, 10, 20)
    with pytest.raises(DataError, match="no file with any of it"):
        write_raven(path, [within], files)
    with pytest.raises(DataError, match="found no file of"):
        write_audacity(path, [Annotation(BEGIN - second, BEGIN)], files)


def test_a_mark_without_a_band_gets_all_of_it_in_raven_and_none_in_audacity(
    tmp_path: Path,
) -> None:
    files = real_list()
    mark = Annotation(BEGIN, BEGIN + timedelta(seconds=1), label="bump")
    write_raven(tmp_path / "raven", [mark], files)
    write_audacity(tmp_path / "audacity", [mark], files)
    (one,) = read_raven(tmp_path / "raven", files)
    assert (one.low_hz, one.high_hz) == (0, 12_000)
    assert read_audacity(tmp_path / "audacity", files) == (mark,)


def test_a_label_track_by_audacity_is_read(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_text(
        "1.000000\t2.000000\tupcall\n\\\t100.5\t300.25\n3.0\t3.0\n4.0\t5.0\tx\n\\\t-1.0\t-1.0\n"
    )
    one, point, unknown = read_audacity(path, real_list())
    assert (one.label, one.low_hz, one.high_hz) == ("upcall", 100.5, 300.25)
    assert (point.begin, point.label, point.low_hz) == (point.end, "", None)
    assert unknown.low_hz is None


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("Selection\tView\n", "no column Begin Time"),
        (
            "Begin Time (s)\tEnd Time (s)\n1\tx\n",
            "line 2: End Time .*: found 'x', wanted a number",
        ),
        ("Begin Time (s)\tEnd Time (s)\n1\t2\t3\n", "line 2: found 3 cells, wanted 2"),
        ("Begin Time (s)\tEnd Time (s)\n1,000\t2\n", "line 2: Begin Time.*thousands or decimals"),
        ("Begin Time (s);End Time (s);High Freq (Hz)\n1;2\n", "line 2: found 2 cells, wanted 3 at"),
        ("Begin Time (s),End Time (s),Species,x\n1,2,5,Mn\n", "line 2: Species: found '2,5', one"),
        ("Begin Time (s)\tEnd Time (s)\tX\tX\n1\t2\n", "line 1: found two columns X, wanted one"),
        ('Begin Time (s)\tEnd Time (s)\tX\n1\t2\t"x\n', "line 2: found no CSV: .*each quote twice"),
        ("Begin Time (s)\tEnd Time (s)\tChannel\n1\t2\tx\n", "line 2: Channel: found 'x', wanted"),
        ("Begin Time (s)\tEnd Time (s)\n9999\t10000\n", "line 2: 9999 s: wanted 0 to"),
        ("Begin Time (s)\tEnd Time (s)\n2\t1\n", "line 2: annotation: found the end"),
        ("Begin Time (s)\tEnd Time (s)\nnan\t1\n", "line 2: nan s"),
        (
            "Begin Time (s)\tEnd Time (s)\tBegin File\tFile Offset (s)\n1\t2\tother.wav\t1\n",
            "line 2: file 'other.wav': wanted one of",
        ),
    ],
)
def test_a_damaged_table_is_refused_with_its_line(tmp_path: Path, content: str, fault: str) -> None:
    (tmp_path / "table.txt").write_text(content)
    with pytest.raises(DataError, match=fault):
        read_raven(tmp_path / "table.txt", real_list())


@pytest.mark.parametrize("content", ["1.0\n", "1.0\tx\ty\n", "1\t2\ta\n\\\t5\n", "\\\t5\t6\n"])
def test_a_damaged_label_track_is_refused_with_its_line(tmp_path: Path, content: str) -> None:
    (tmp_path / "labels.txt").write_text(content)
    with pytest.raises(DataError, match=r"labels.txt, line [12]"):
        read_audacity(tmp_path / "labels.txt", real_list())


@pytest.mark.parametrize(
    "content",
    [
        "1,25\t2,5\tupcall\r\\\t100,5\t300\r\r3\t4\t5\r",
        "\n1.25\t2.5\tupcall\n\\\t100.5\t300\n\t\t\n3\t4\t5",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_label_track_is_read_whatever_ends_its_lines(
    tmp_path: Path, content: str, encoding: str
) -> None:
    (tmp_path / "labels.txt").write_bytes(content.encode(encoding))
    one, two = read_audacity(tmp_path / "labels.txt", real_list())
    assert (one.label, one.low_hz, one.high_hz, two.label) == ("upcall", 100.5, 300, "5")
    seconds = (one.end - one.begin).total_seconds()
    assert seconds == pytest.approx(1.25 * 24_000 / TRUE_HZ, abs=2e-6)


@pytest.mark.parametrize("separator", ["\t", ";", ","])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("quote", ["", '"'])
def test_a_selection_table_that_another_program_saved_is_read(
    tmp_path: Path, separator: str, end: str, quote: str
) -> None:
    table = RAVEN.format(name="2018-10-28--00.05.wav").replace("View", "VIEW")
    lines = [f"{quote}{separator}{quote}".join(line.split("\t")) for line in table.splitlines()]
    lines.insert(2, separator * 10)
    path = tmp_path / "table.txt"
    path.write_bytes(end.join(f"{quote}{line}{quote}" if line[0] != separator else line
                              for line in lines).encode())  # fmt: skip
    plain_path = tmp_path / "plain.txt"
    plain_path.write_text(RAVEN.format(name="2018-10-28--00.05.wav"))
    assert read_raven(path, real_list()) == read_raven(plain_path, real_list())


def test_what_is_no_text_or_not_there_is_said(tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    for reader in (read_raven, read_audacity):
        with pytest.raises(DataError, match="line 1: found no UTF-8"):
            reader(tmp_path / "bytes", real_list())
        with pytest.raises(NotReadyError, match="No such file"):
            reader(tmp_path / "nothing", real_list())


def test_an_annotation_is_in_utc_and_one_line() -> None:
    honolulu = timezone(timedelta(hours=-10))
    mark = Annotation(datetime(2024, 2, 29, 20, 0, tzinfo=honolulu), BEGIN)
    assert (mark.begin, mark.begin.tzinfo) == (BEGIN, UTC)
    assert Annotation(BEGIN.replace(tzinfo=None), BEGIN).begin == BEGIN
    for wrong in (
        {"label": "a\tb"},
        {"low_hz": 3.0},
        {"low_hz": 3.0, "high_hz": 1.0},
        {"low_hz": 3.0, "high_hz": float("nan")},
        {"extra": (("a", "b\n"),)},
    ):
        with pytest.raises(DataError, match="annotation: found"):
            Annotation(BEGIN, BEGIN, **wrong)


def test_a_timeline_takes_whole_sounds_and_wants_a_name_for_pieces() -> None:
    sound = Sound(noise(12), RATE_HZ, begins_us(12), file=NAME)
    timeline = Timeline([sound])
    assert timeline.seconds == 12 * 4096 / 24_000
    piece = sound[timedelta(seconds=1) :]
    with pytest.raises(DataError, match="found a piece from sample 24001"):
        Timeline([piece])
    assert Timeline([FileSpan.of(piece, "piece.wav")]).files[0].samples == len(piece.samples)


def test_a_sound_that_cannot_be_one_whole_file_wants_a_name(tmp_path: Path) -> None:
    sound = Sound(noise(12), RATE_HZ, begins_us(12), file=NAME)
    later = replace(sound, marks_us=sound.marks_us + 60_000_000)
    long = Sound(noise(3515), RATE_HZ, begins_us(3515), file=NAME)
    gap = Gap(sound.begin, sound.time_of(4096))
    for piece, why in (
        (sound[: timedelta(seconds=1)], "found 24001 samples, not the whole records"),
        (long, "five minutes at most"),  # two files
        (replace(sound, gaps=(gap,)), "found a gap at an end"),
        (replace(sound, gaps=(Gap(sound.time_of(45_000), sound.end),)), "found a gap at an end"),
        ((sound @ later)[: timedelta(seconds=61)], "not the whole records"),
    ):
        with pytest.raises(DataError, match=why):
            Timeline([piece])
        assert Timeline([FileSpan.of(piece, "piece.wav")]).seconds > 0
    sound[: timedelta(seconds=1)].save(tmp_path / "2024-03-01--06.00.wav")
    assert Timeline([read(tmp_path / "2024-03-01--06.00.wav")]).files[0].samples == 24_001


def test_a_file_that_lacks_records_is_a_whole_file(tmp_path: Path) -> None:
    content = feed(noise(12), bits=16)
    each = len(content) // 12
    path = write_feed(tmp_path, content[: 4 * each] + content[7 * each :])
    sound = read(path)
    assert len(sound.gaps) == 1
    assert Timeline(
        [
            sound,
        ]
    ).files[0].samples == len(sound.samples)


def test_a_naive_time_is_utc_in_a_list_of_files() -> None:
    one, two, three = real_list()
    naive = replace(one, begin=one.begin.replace(tzinfo=None), end=one.end.replace(tzinfo=None))
    assert naive == one
    timeline = Timeline([naive, two, three])
    when = BEGIN + timedelta(seconds=7)
    assert timeline.place(when.replace(tzinfo=None)) == timeline.place(when)


def test_one_line_is_read_of_a_selection_with_two_spectrograms(tmp_path: Path) -> None:
    head, one, drawn, two = RAVEN.format(name=real_list()[1].name).splitlines()
    again = drawn.replace("Spectrogram 1", "Spectrogram 2").replace("61.3", "60.0")
    other = drawn.replace("Spectrogram 1\t1", "Spectrogram 1\t2")
    wave = two.replace("Waveform 1", "Waveform 2")
    path = tmp_path / "table.txt"
    path.write_text("\n".join([head, one, drawn, again, other, two, wave]) + "\n")
    found = read_raven(path, real_list())
    assert [a.channel for a in found] == [1, 2, 1]
    assert [a.low_hz for a in found] == [80, 80, None]
    assert found[0].extra == (("Avg Power (dB)", "61.3"),)


def test_without_numbers_every_line_is_a_selection(tmp_path: Path) -> None:
    rows = ["View\tBegin Time (s)\tEnd Time (s)", "Waveform 1\t1\t2", "Spectrogram 1\t3\t4"]
    path = tmp_path / "table.txt"
    path.write_text("\n".join([*rows, "Spectrogram 1\t3\t4", "Waveform 1\t5\t6"]) + "\n")
    assert len(read_raven(path, real_list())) == 4


def test_two_tables_one_below_the_other_keep_their_selections(tmp_path: Path) -> None:
    rows = ["Selection\tView\tBegin Time (s)\tEnd Time (s)", "1\tSpectrogram 1\t1\t2"]
    path = tmp_path / "table.txt"
    path.write_text("\n".join([*rows, "1\tSpectrogram 1\t3\t4"]) + "\n")
    assert len(read_raven(path, real_list())) == 2


def test_labels_of_a_column_of_choice_go_back_to_it(tmp_path: Path) -> None:
    path, files = tmp_path / "table.txt", real_list()
    table = "Begin Time (s)\tEnd Time (s)\tAnnotation\tSpecies\n1\t2\tloud\tMn\n"
    path.write_text(table)
    found = [replace(a, low_hz=1, high_hz=2) for a in read_raven(path, files, label="Species")]
    assert found[0].label == "Mn"
    with pytest.raises(DataError, match=r"found Annotation in extra, .* give write_raven label="):
        write_raven(path, found, files)
    with pytest.raises(DataError, match="found Annotation in extra, wanted it for the labels"):
        write_raven(path, found, files, label="annotation")
    found = [replace(found[0], label='\'-12 dB "re" 1')]
    write_raven(path, found, files, label="Species")
    assert list(read_raven(path, files, label="Species")) == found


def test_files_out_of_order_or_of_one_name_are_refused() -> None:
    one, two, three = real_list()
    with pytest.raises(DataError, match="found its begin before"):
        Timeline([two, one])
    with pytest.raises(DataError, match="two files of one name"):
        Timeline([one, FileSpan(one.name, three.begin, three.end, three.samples, RATE_HZ)])
    with pytest.raises(DataError, match="no files"):
        Timeline([])


def test_a_timeline_is_shown_in_a_line() -> None:
    span = FileSpan("a.wav", BEGIN, BEGIN + timedelta(minutes=5), 7_200_000, 24_000)
    assert repr(Timeline([span])) == (
        "<Timeline 2024-03-01 06:00:00+00:00 to 2024-03-01 06:05:00+00:00, 1 file, "
        "300.000 s of samples>"
    )


def test_no_error_adds_up_over_many_files_of_several_rates() -> None:
    rates = [24_000.0, 44_100.0, 96_000.0]
    files, begin = [], datetime(2023, 7, 1, tzinfo=UTC)
    for k in range(20_000):
        end = begin + timedelta(seconds=300, microseconds=k % 7)
        files.append(FileSpan(f"{k:06d}.wav", begin, end, 7_200_000 + k % 4096, rates[k % 3]))
        begin = end + timedelta(minutes=20 * (k % 100 == 0))
    timeline = Timeline(files)
    before = sum(Fraction(x.samples) / Fraction(x.rate_hz) for x in files[:-1])
    assert timeline.start_s(len(files) - 1) == pytest.approx(float(before), abs=2e-9)
    begin_s, end_s = timeline.stretch(Annotation(files[-2].begin, files[-1].end))
    seconds = sum(Fraction(x.samples) / Fraction(x.rate_hz) for x in files[-2:])
    assert end_s - begin_s == pytest.approx(float(seconds), abs=1e-8)
