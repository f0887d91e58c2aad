"""Names say when a file begins, at which rate, from which hydrophone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from acoio.errors import FilenameError
from acoio.filename import FileName, begin_of_name, parse_filename


@pytest.mark.parametrize(
    ("name", "rate_hz", "band"),
    [
        ("2016-02-18--08.15.HYD24BBpk", 24_000, "BB"),
        ("2018-05-04--22.41.HYD24HFpk", 24_000, "HF"),
        ("2020-02-29--23.55.HYD96BBpk", 96_000, "BB"),
        ("2011-06-09--00.00.HYDR24KBB", 24_000, "BB"),
        ("2011-06-09--00.00.HYDR24KHF", 24_000, "HF"),
    ],
)
def test_a_name_read_and_written_is_the_same(name: str, rate_hz: float, band: str) -> None:
    parsed = parse_filename(f"some/folder/{name}")
    assert (parsed.rate_hz, parsed.band, str(parsed)) == (rate_hz, band, name)
    assert parsed.begin.tzinfo is UTC
    assert parsed.packed == name.endswith("pk")


@pytest.mark.parametrize(
    "name",
    [
        "2016-02-30--08.15.HYD24BBpk",
        "2016-02-18--24.15.HYD24BBpk",
        "2016-02-18--08.15.HYD24BBpk.part",
        ".2016-02-18--08.15.HYD24BBpk.Xa3d",
        "2016-02-18--08.15.HYD00BBpk",
        "2016-02-18--08.15.HYD999BBpk",
        "2016-02-18--08.15.HYDR501KBB",
        "2016-02-18--08.15.wav",
        "2016-02-18--08.15.HYDR24KBBpk",
        "2016-02-18--08.15.HYD24BB",
        "２016-02-18--08.15.HYD24BBpk",
        "",
    ],
)
def test_a_wrong_name_is_refused_with_what_was_wanted(name: str) -> None:
    with pytest.raises(FilenameError, match=r"found .*(wanted|no date)"):
        parse_filename(name)


def test_names_sort_by_time() -> None:
    later = FileName(datetime(2016, 2, 18, 8, 20, tzinfo=UTC))
    assert FileName(datetime(2016, 2, 18, 8, 15, tzinfo=UTC)) < later


@pytest.mark.parametrize(
    ("name", "seconds"),
    [
        ("2016-02-18--08.15.wav", 0.0),
        ("2016-02-18--08.15.HYD24BBpk.flac", 0.0),
        ("song_2016-02-18--08.15.44100.mp3", 0.0),
        ("2016-02-18--08.15.07.mp3", 7.0),
        ("2016-02-18--08.15.07.25.flac", 7.25),
        ("20160218T081507Z.wav", 7.0),
        ("ACO_20160218_081507.500.wav", 7.5),
        ("160218-081507.wav", 7.0),
    ],
)
def test_names_of_copies_bear_their_time(name: str, seconds: float) -> None:
    wanted = datetime(2016, 2, 18, 8, 15, tzinfo=UTC) + timedelta(seconds=seconds)
    assert begin_of_name(f"some/folder/{name}") == wanted


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("20240115T120000-0800.wav", "2024-01-15T20:00:00"),
        ("20240115T120000+05:30.wav", "2024-01-15T06:30:00"),
        ("20240115T120000-08.wav", "2024-01-15T20:00:00"),
        ("20240115_120000_-0800.wav", "2024-01-15T20:00:00"),
        ("20240115T120000−0800.wav", "2024-01-15T20:00:00"),
        ("20240115_120000_UTC-8.wav", "2024-01-15T20:00:00"),
        ("20240115T1200-0800.wav", "2024-01-15T20:00:00"),
        ("20240404T060218+1000_REC.wav", "2024-04-03T20:02:18"),
        ("20240101T003000.750+0545.wav", "2023-12-31T18:45:00.750000"),
        ("2016-02-18--08.15-1000.wav", "2016-02-18T18:15:00"),
        ("20240115t120000z.wav", "2024-01-15T12:00:00"),
        ("2018-10-28T13:30:00.250Z.wav", "2018-10-28T13:30:00.250000"),
        ("ICLISTENHF6016_20260602T091500.163Z-HPF.flac", "2026-06-02T09:15:00.163000"),
        ("PAM_20231012_101213_123.wav", "2023-10-12T10:12:13.123000"),
        ("uAural_20231012_101213_000001.wav", "2023-10-12T10:12:13.000001"),
        ("20231012T101213,5Z.wav", "2023-10-12T10:12:13.500000"),
        ("20231012T101213.123456789Z.wav", "2023-10-12T10:12:13.123456"),
        ("channelA_2021-10-11_13-11-09.wav", "2021-10-11T13:11:09"),
        ("2021_10_11_13_11_09.wav", "2021-10-11T13:11:09"),
        ("NRS11_20191231_235960.flac", "2020-01-01T00:00:00"),
        ("20231012_101213T.WAV", "2023-10-12T10:12:13"),
        # What follows is no offset: a part, an identifier, a rate.
        ("20240115T120000-25.wav", "2024-01-15T12:00:00"),
        ("20240115_120000_48000.wav", "2024-01-15T12:00:00"),
        ("20240115_120000-080000.wav", "2024-01-15T12:00:00"),
    ],
)
def test_offsets_fractions_and_leap_seconds_are_read(name: str, wanted: str) -> None:
    assert begin_of_name(name) == datetime.fromisoformat(f"{wanted}+00:00")


@pytest.mark.parametrize("name", ["20240115T120061Z.wav", "00010101T000000+1000.wav"])
def test_what_is_no_time_is_none(name: str) -> None:
    with pytest.raises(FilenameError, match="which is no date"):
        begin_of_name(name)


@pytest.mark.parametrize("name", ["song.wav", "2016-02-30--08.15.wav", "1234567890123456.mp3", ""])
def test_a_name_without_a_time_is_refused(name: str) -> None:
    with pytest.raises(FilenameError, match=r"found .*(wanted|no date)"):
        begin_of_name(name)
