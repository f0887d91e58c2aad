"""Sound of an archive by date and time."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import acoio.catalogue
import acoio.listing
from acoio.archive import ACDio, ACOio
from acoio.clock import to_us
from acoio.clock_errors import ClockError, ClockErrors
from acoio.errors import DamageWarning, DataError, NotReadyError
from acoio.join import OverlapWarning
from acoio.load import read, read_span
from acoio.sound import Sound
from acoio.writer import encode_records, record_begins_us

from .archives import (
    BEGIN,
    MIDNIGHT,
    MINUTES,
    TREES,
    archive,
    content,
    file_records,
    put,
    whole,
)

SECOND = timedelta(seconds=1)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("archive")
    archive(folder)
    return folder


@pytest.fixture(scope="module")
def loader(base: Path) -> ACOio:
    return ACOio(base)


def same(found: Sound, wanted: Sound) -> bool:
    near = abs(to_us(found.begin) - to_us(wanted.begin)) <= 2
    return near and np.array_equal(found.samples, wanted.samples)


def near(a: datetime, b: datetime) -> bool:
    return abs(a - b) < timedelta(microseconds=60)


@pytest.mark.parametrize("tree", TREES)
def test_any_of_the_trees_gives_the_sound_over_midnight(tree: str, tmp_path: Path) -> None:
    archive(tmp_path, tree)
    begin = MIDNIGHT - 40 * SECOND
    found = ACOio(tmp_path).load(begin, 80 * SECOND)
    assert found.gaps == ()
    assert same(found, whole()[begin : begin + 80 * SECOND])


@given(first_us=st.integers(0, 239_000_000), length_us=st.integers(200, 9_000_000))
def test_any_span_is_that_of_the_unbroken_sound(
    loader: ACOio, first_us: int, length_us: int
) -> None:
    begin = BEGIN + timedelta(microseconds=first_us)
    duration = timedelta(microseconds=length_us)
    found = loader.load(begin, duration)
    if not found.gaps:
        assert same(found, whole()[begin : begin + duration])


def test_five_minutes_are_the_default_and_what_is_missing_is_told(loader: ACOio) -> None:
    sound = loader.load(MINUTES[0])
    assert abs((sound.end - sound.begin) - timedelta(minutes=5)) < timedelta(milliseconds=1)
    (gap,) = sound.gaps
    assert near(gap.begin, whole().end)
    assert gap.end == MINUTES[0] + timedelta(minutes=5)
    assert not sound[gap.begin : gap.end].samples.any()


def test_a_sound_begins_at_the_instant_asked_for_even_if_nothing_is_there(loader: ACOio) -> None:
    begin = BEGIN - 10 * SECOND
    sound = loader.load(begin, 20 * SECOND)
    assert sound.begin == begin
    assert (sound.gaps[0].begin, sound.gaps[0].end) == (begin, BEGIN)
    piece = sound[12 * SECOND : 14 * SECOND]
    assert np.array_equal(piece.samples[:48_000], whole()[BEGIN + 2 * SECOND :].samples[:48_000])


def test_a_naive_datetime_is_utc_and_another_zone_is_told_apart(loader: ACOio) -> None:
    aware = loader.load(MIDNIGHT, SECOND)
    naive = loader.load(MIDNIGHT.replace(tzinfo=None), SECOND)
    hawaii = loader.load(MIDNIGHT.astimezone(timezone(timedelta(hours=-10))), SECOND)
    assert np.array_equal(aware.samples, naive.samples)
    assert np.array_equal(aware.samples, hawaii.samples)


def test_a_missing_file_is_a_gap_of_its_length(tmp_path: Path) -> None:
    archive(tmp_path, without=[1])
    begin = MINUTES[0] + 50 * SECOND
    sound = ACOio(tmp_path).load(begin, 80 * SECOND)
    first, last = file_records(1)
    marks = whole().marks_us
    (gap,) = sound.gaps
    assert abs(to_us(gap.begin) - marks[first]) <= 2
    assert abs(to_us(gap.end) - marks[last]) <= 2
    silent = sound.samples[sound.index_of(gap.begin) : sound.index_of(gap.end)]
    assert not silent.any()
    after = whole()[gap.end : begin + 80 * SECOND].samples
    assert np.array_equal(sound.samples[-len(after) :], after)


def test_nothing_at_all_says_where_the_nearest_is(tmp_path: Path) -> None:
    archive(tmp_path, without=[1, 2])
    with pytest.raises(DataError, match=r"23\.58\.HYD24BBpk.* to 2024-02-29 23:58:59.*00\.01\.H"):
        ACOio(tmp_path).load(MINUTES[1] + 5 * SECOND, 10 * SECOND)
    with pytest.raises(DataError, match=r"nearest: the last before[^;]*00\.01\.HYD24BBpk[^;]*$"):
        ACOio(tmp_path).load(datetime(2031, 1, 1, tzinfo=UTC))
    with pytest.raises(DataError, match="none at all"):
        ACOio(tmp_path, band="HF").load(MINUTES[0])


@pytest.mark.parametrize("tree", TREES)
def test_the_nearest_are_found_in_every_tree(tree: str, tmp_path: Path) -> None:
    archive(tmp_path, tree, without=[1])
    before, after = acoio.catalogue.Catalogue(tmp_path).nearest(MINUTES[1])
    assert before is not None
    assert after is not None
    assert (before.name.begin, after.name.begin) == (MINUTES[0], MINUTES[2])


def test_blocks_are_the_whole_and_leave_out_what_is_empty(tmp_path: Path) -> None:
    archive(tmp_path, without=[1, 2])
    begin, end = MINUTES[0], MINUTES[3] + 55 * SECOND
    blocks = list(ACOio(tmp_path).blocks(begin, end, 25 * SECOND))
    assert [round((x.begin - begin) / SECOND) for x in blocks] == [0, 25, 50, 175, 200, 225]
    assert abs(blocks[-1].end - end) < timedelta(milliseconds=1)
    joined = np.concatenate([x.samples for x in blocks[:3]])
    sound = whole()[begin : begin + 59 * SECOND]
    assert np.array_equal(joined[: len(sound.samples)], sound.samples)


def test_a_copy_in_another_place_is_told_and_changes_nothing(tmp_path: Path) -> None:
    archive(tmp_path)
    put(tmp_path, "{:%m/%d}", MINUTES[1], content(*file_records(1)))
    with pytest.warns(OverlapWarning, match=r"also in .*23\.59\.HYD24BBpk, which was kept"):
        sound = ACOio(tmp_path).load(MINUTES[0], 100 * SECOND)
    assert same(sound, whole()[MINUTES[0] : MINUTES[0] + 100 * SECOND])


def test_files_that_overlap_are_joined_where_the_first_ends(tmp_path: Path) -> None:
    archive(tmp_path, without=[1])
    first, last = file_records(1)
    put(tmp_path, "{:%Y/%m/%d}", MINUTES[1], content(first - 40, last))
    for seconds in (55, 100):
        with pytest.warns(OverlapWarning, match=r"6\.827 s"):
            sound = ACOio(tmp_path).load(MINUTES[0], seconds * SECOND)
        assert sound.gaps == ()
        assert same(sound, whole()[MINUTES[0] : MINUTES[0] + seconds * SECOND])


def test_a_clock_that_jumps_at_the_begin_of_a_file_is_repaired_by_the_file_before(
    tmp_path: Path,
) -> None:
    archive(tmp_path, without=[1])
    first, last = file_records(1)
    put(
        tmp_path,
        "{:%Y/%m/%d}",
        MINUTES[1],
        content(first, last, glitch=range(first, first + 30)),
    )
    begin = MINUTES[1] + 2 * SECOND
    sound = ACOio(tmp_path).load(begin, 6 * SECOND)
    assert sound.gaps == ()
    assert same(sound, whole()[begin : begin + 6 * SECOND])


def test_damage_costs_only_its_record(tmp_path: Path) -> None:
    (path, *_) = archive(tmp_path)
    data = bytearray(path.read_bytes())
    size = 36 + 5120
    data[100 * size : 100 * size + 36] = bytes(36)
    path.write_bytes(data)
    sound = ACOio(tmp_path).load(MINUTES[0], 30 * SECOND)
    (gap,) = sound.gaps
    assert gap.seconds == pytest.approx(0.1706657, abs=1e-5)
    silence = whole()[MINUTES[0] : MINUTES[0] + 30 * SECOND].samples.copy()
    silence[sound.index_of(gap.begin) : sound.index_of(gap.end)] = 0
    assert np.array_equal(sound.samples, silence)


def test_a_file_that_begins_off_the_grid_and_is_long_is_found(tmp_path: Path) -> None:
    put(tmp_path, "{:%Y/%m/%d}", MINUTES[0], content(0, file_records(3)[1]))
    begin = MINUTES[3] + 20 * SECOND
    assert same(ACOio(tmp_path).load(begin, 4 * SECOND), whole()[begin : begin + 4 * SECOND])


def test_a_new_file_is_seen(tmp_path: Path) -> None:
    archive(tmp_path, without=[1])
    loader = ACOio(tmp_path)
    assert loader.load(MINUTES[0], 100 * SECOND).gaps
    path = put(tmp_path, "{:%Y/%m/%d}", MINUTES[1], content(*file_records(1)))
    os.utime(path.parent, (2e9, 2e9))
    assert not loader.load(MINUTES[0], 100 * SECOND).gaps


def test_only_the_folders_that_can_hold_an_instant_are_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for k in range(30):
        put(tmp_path, "{:%Y/%m/%d}", MIDNIGHT + timedelta(days=k, hours=12), b"")
    archive(tmp_path)
    listed: list[str] = []
    listing_of = acoio.listing.listing_of

    def noting(folder: str) -> object:
        listed.append(folder)
        return listing_of(folder)

    monkeypatch.setattr(acoio.catalogue, "listing_of", noting)
    loader = ACOio(tmp_path)
    for _ in range(3):
        loader.load(MIDNIGHT + 40 * SECOND, SECOND)
    assert sorted(x.removeprefix(str(tmp_path)) for x in listed) == [
        "",
        "/2024/02/29",
        "/2024/03/01",
    ]


def test_a_path_gives_that_file(base: Path, loader: ACOio) -> None:
    path = "2024/02/29/2024-02-29--23.58.HYD24BBpk"
    sound = loader.load(path)
    first, last = file_records(0)
    assert len(sound.samples) == 4096 * (last - first)
    assert len(loader.load(base / path, SECOND).samples) == 24_001


def test_the_other_band_and_another_rate_are_asked_for(tmp_path: Path) -> None:
    archive(tmp_path)
    put(tmp_path, ".", MINUTES[1], content(0, 100), band="HF")
    put(tmp_path, ".", MINUTES[1], content(0, 100), rate_hz=96_000.0)
    assert ACOio(tmp_path, band="HF").load(BEGIN, SECOND).file.endswith("HFpk")
    with pytest.raises(DataError, match=r"several rates: 24000 Hz .* 96000 Hz"):
        ACOio(tmp_path).load(MINUTES[0])


def test_known_errors_of_the_clock_are_taken_out_where_asked_for(base: Path) -> None:
    table = ClockErrors((ClockError(None, MIDNIGHT, 4.0), ClockError(MIDNIGHT, None, 5.0)))
    loader = ACOio(base, clock_errors=table)
    begin = MINUTES[0] - 4 * SECOND
    shifted = loader.load(begin, 10 * SECOND)
    assert np.array_equal(shifted.samples, whole()[MINUTES[0] : MINUTES[0] + 10 * SECOND].samples)


@pytest.mark.parametrize("duration", [timedelta(0), -SECOND])
def test_a_span_of_nothing_is_refused(loader: ACOio, duration: timedelta) -> None:
    with pytest.raises(DataError, match="more than nothing"):
        loader.load(MIDNIGHT, duration)
    with pytest.raises(DataError, match="2000 to 2100"):
        loader.load(datetime(1, 1, 1, tzinfo=UTC))


def test_no_folder_is_not_ready(tmp_path: Path) -> None:
    with pytest.raises(NotReadyError, match="found no folder"):
        ACOio(tmp_path / "none")


def test_it_goes_by_two_names() -> None:
    assert ACDio is ACOio


def test_each_piece_says_which_file_it_is_from_and_where(loader: ACOio, base: Path) -> None:
    found = loader.load(MIDNIGHT - 100 * SECOND, 150 * SECOND)
    names = [path.name for path in sorted(base.rglob("*.HYD*"))]
    assert found.files == tuple(names[:3])
    for first in range(0, len(found.samples) - 9999, 77_777):
        piece = found.piece(first, first + 9999)
        for origin in piece.origins:
            path = next(base.rglob(origin.file))
            there = read_span(path, origin.sample, origin.sample + 9)
            assert np.array_equal(there.samples, piece.samples[origin.at : origin.at + 9])


def test_sound_after_a_gap_is_of_the_file_after_it(tmp_path: Path) -> None:
    paths = archive(tmp_path, without=[1])
    found = ACOio(tmp_path).load(MINUTES[1] - 5 * SECOND, 70 * SECOND)
    assert found.files == (paths[0].name, paths[1].name)
    (gap,) = found.gaps
    late = found[gap.begin + SECOND :]
    assert late.files == (paths[1].name,)
    assert late[gap.end :].sample == 0
    assert late.sample == -late.index_of(gap.end)


def test_a_broken_file_is_not_the_nearest_sound_but_told(tmp_path: Path) -> None:
    paths = archive(tmp_path)
    paths[2].write_bytes(b"")
    paths[3].write_bytes(b"no records" * 99)
    with pytest.raises(DataError) as raised:
        ACOio(tmp_path).load(MINUTES[3] + 2 * SECOND, SECOND)
    near = str(raised.value).partition("nearest: ")[2].split("; ")
    assert near[0].startswith(f"{paths[3]} gives no sound: ")
    assert near[1:] == [
        f"{paths[2]} gives no sound: empty file",
        f"the last before, {paths[1]}, {near[2].split(', ')[-1]}",
    ]


def test_a_broken_file_is_warned_of_where_it_leaves_a_gap(tmp_path: Path) -> None:
    paths = archive(tmp_path)
    loader = ACOio(tmp_path)
    paths[1].write_bytes(b"")
    with pytest.warns(DamageWarning, match="gives no sound, so there is a gap: empty file") as told:
        sound = loader.load(MINUTES[0] + 30 * SECOND, 60 * SECOND)
    assert len(told) == len(sound.gaps) == 1
    assert told[0].filename == __file__
    assert loader.load(MINUTES[0] + 10 * SECOND, 20 * SECOND).gaps == ()


def test_a_rate_that_the_clocks_contradict_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path)[0]
    wanted = r"found records 170\.7 ms apart, as at 24000 Hz, wanted 92\.9 ms, as at 44100 Hz"
    with pytest.raises(DataError, match=wanted):
        ACOio(tmp_path, rate_hz=44_100).load(MINUTES[0])
    with pytest.raises(DataError, match=wanted):
        read(path, rate_hz=44_100)
    with pytest.raises(DataError, match=wanted):
        read_span(path, 5000, 500_000, rate_hz=44_100)


def test_a_name_that_the_clocks_contradict_is_told(tmp_path: Path) -> None:
    times = record_begins_us(MINUTES[0], 0, 40, rate_hz=44_100)
    data = encode_records(
        whole().samples[: 40 * 4096], begins_us=times, first_number=0, rate_hz=44_100
    )
    path = put(tmp_path, ".", MINUTES[0], data)
    with pytest.raises(DataError, match=r"give rate_hz=44100"):
        read(path)
    with pytest.raises(DataError, match=r"gives no sound: found records .* give rate_hz=44100"):
        ACOio(tmp_path).load(MINUTES[0], SECOND)
    assert ACOio(tmp_path, rate_hz=44_100).load(MINUTES[0], SECOND).gaps == ()


def test_what_is_no_instant_and_no_duration_is_told_as_such(loader: ACOio) -> None:
    with pytest.raises(TypeError, match=r"found 300, wanted a timedelta: timedelta\(seconds=300\)"):
        loader.load(MIDNIGHT, 300)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="found 5, wanted a datetime or a path"):
        loader.load(5)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="found the text '2016-02-18 08:15', wanted a datetime or"):
        loader.load("2016-02-18 08:15")


def test_the_band_that_is_there_is_told(tmp_path: Path) -> None:
    archive(tmp_path)
    with pytest.raises(DataError, match="there is band BB here"):
        ACOio(tmp_path, band="HF").load(MIDNIGHT)


def test_a_place_that_cannot_be_looked_at_is_told_in_words(tmp_path: Path) -> None:
    long = "a" * 300
    for look in (lambda: ACOio(tmp_path / long), lambda: ACOio(tmp_path).load(long)):
        with pytest.raises(NotReadyError, match="a: File name too long"):
            look()
