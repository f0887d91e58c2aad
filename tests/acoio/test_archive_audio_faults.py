"""Copies that are broken, misnamed, of another band or rate: told, and no hindrance."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]

from acoio.archive import ACOio
from acoio.clock import record_us, to_us
from acoio.errors import DamageWarning, DataError, NotReadyError
from acoio.filename import name_of_copy

from .archives import (
    BEGIN,
    MIDNIGHT,
    MINUTES,
    copies,
    cut,
    minute_sound,
    put_copy,
    whole,
)

SECOND = timedelta(seconds=1)


def test_several_rates_in_a_span_are_refused_and_a_rate_may_be_given(tmp_path: Path) -> None:
    copies(tmp_path, without=[1])
    other = replace(minute_sound(1), rate_hz=44_100.0)
    put_copy(tmp_path, ".", MINUTES[1], other, "{:%Y-%m-%d--%H.%M}.wav")
    loader = ACOio(tmp_path)
    with pytest.raises(DataError, match=r"several rates: 24000 Hz \(.*\), 44100 Hz \(.*59\.wav\)"):
        loader.load(MINUTES[1], 70 * SECOND)
    with pytest.raises(DataError, match="several rates"):
        loader.coverage()
    assert loader.load(MINUTES[3], 20 * SECOND).rate_hz == 24_000
    sound = ACOio(tmp_path, rate_hz=24_000).load(BEGIN, 100 * SECOND)
    assert np.array_equal(sound.samples, cut(whole(), BEGIN, 100 * SECOND).samples)


def test_a_copy_is_of_band_bb_unless_its_name_says_hf(tmp_path: Path) -> None:
    copies(tmp_path, "{:%Y-%m-%d--%H.%M}.HYD24HFpk.wav", without=[1])
    copies(tmp_path, "{:%Y-%m-%d--%H.%M}.wav", without=[0, 2, 3])
    assert [len(ACOio(tmp_path, band=x).coverage().files) for x in ("BB", "HF")] == [1, 3]
    assert name_of_copy("2011-06-09--00.00.HYDR24KHF.flac").band == "HF"
    assert name_of_copy("2016-02-18--08.15.HYD24BBpk.flac").band == "BB"
    assert name_of_copy("2016-02-18--08.15.HYD24HFpkx.flac").band == "BB"


def broken(folder: Path) -> list[str]:
    """Write what is no sound under names of copies, within the minutes of the archive."""
    folder.mkdir(parents=True, exist_ok=True)
    made = {"20240229-235801.wav": b"", "20240229-235802.flac": bytes(5000)}
    made |= {"20240229-235803.mp3": b"RIFF" + bytes(range(256)) * 9}
    for name, data in made.items():
        (folder / name).write_bytes(data)
    soundfile.write(folder / "20240229-235804.wav", np.zeros(0, np.int16), 24_000)
    two = np.random.default_rng(0).integers(-9, 9, (24_000, 2)).astype(np.int16)
    soundfile.write(folder / "20240229-235805.wav", two, 24_000)
    soundfile.write(
        folder / "20240229-235806.wav", np.full(24_000, np.nan, np.float32), 24_000, "FLOAT"
    )
    return [*made, "20240229-235804.wav", "20240229-235805.wav", "20240229-235806.wav"]


def test_broken_copies_are_faults_and_hinder_no_load(tmp_path: Path) -> None:
    copies(tmp_path)
    names = broken(tmp_path / "2024/02/29")
    (tmp_path / "2024/02/29/20240229-235807.wav").mkdir()
    loader = ACOio(tmp_path)
    sound = loader.load(BEGIN, 80 * SECOND)
    assert np.array_equal(sound.samples, cut(whole(), BEGIN, 80 * SECOND).samples)
    cover = loader.coverage()
    faults = {file.path.name: file.fault for file in cover.files if file.fault}
    assert [*faults] == [*names, "20240229-235807.wav"]
    assert "regular file" in faults.pop("20240229-235807.wav")
    assert [re.sub(r"^.*/[^:]*: ", "", x).split(":")[0] for x in faults.values()] == [
        "empty file",
        "found no sound file",
        "found no sound file",
        "found no sound in it",
        "found 2 channels that differ, wanted one",
        "found samples that are no numbers",
    ]
    assert (cover.gaps, cover.overlaps) == ((), ())


def test_headers_and_comments_that_lie_are_faults(tmp_path: Path) -> None:
    copies(tmp_path, tree=".", without=[1])
    soundfile.write(tmp_path / "20240229-235901.wav", np.ones(9000, np.int16), 600_000)
    note = {"begin": "9999-12-31T23:59:59+00:00", "count": 2.0**-15, "float": False, "edges": []}
    with soundfile.SoundFile(tmp_path / "20240229-235902.wav", "w", 24_000, 1, "PCM_16") as file:
        file.comment = "acoio " + json.dumps(note)
        file.write(np.zeros(9000, np.int16))
    loader = ACOio(tmp_path)
    with pytest.warns(DamageWarning, match="gives no sound") as told:
        assert len(loader.load(MINUTES[0], 100 * SECOND).gaps) == 1
    assert len(told) == 2
    faults = [file.fault for file in loader.coverage().files if file.fault]
    assert ["600000 Hz" in faults[0], "wanted one from 2000" in faults[1], len(faults)] == [
        True,
        True,
        2,
    ]


def test_a_copy_that_is_gone_is_not_ready(tmp_path: Path) -> None:
    path = copies(tmp_path)[1]
    path.unlink()
    path.symlink_to(tmp_path / "gone")
    with pytest.raises(NotReadyError, match="No such file"):
        ACOio(tmp_path).load(BEGIN, 80 * SECOND)
    fault = ACOio(tmp_path).coverage().files[1].fault
    assert "No such file" in fault


def test_what_is_hidden_or_bears_no_time_is_passed_over(tmp_path: Path) -> None:
    copies(tmp_path, tree=".", without=[1])
    for name in (".2024-02-29--23.59.wav", "snip.wav", "2024-02-30--00.00.wav"):
        put_copy(tmp_path, ".", MINUTES[1], minute_sound(1), name)
    for name in ("2024-02-29--23.59.csv", "2024-02-29--23.59.png", "2024-02-29--23.59.ogg"):
        (tmp_path / name).write_bytes(b"table")
    loader = ACOio(tmp_path)
    assert len(loader.coverage().files) == 3
    assert len(loader.load(MINUTES[0], 100 * SECOND).gaps) == 1


@pytest.mark.parametrize("frames", [0, 2**33, 2**36 - 1, 60 * 24_000])
def test_a_flac_header_that_lies_claims_only_what_is_there(tmp_path: Path, frames: int) -> None:
    path = copies(tmp_path, "{:%Y-%m-%d--%H.%M}.flac", ".", without=[2])[1]
    minute = minute_sound(1).piece(0, 900_000)
    put_copy(tmp_path, ".", MINUTES[1], minute, path.name)
    data = bytearray(path.read_bytes())
    data[21] = (data[21] & 0xF0) | (frames >> 32)
    data[22:26] = (frames & 0xFFFFFFFF).to_bytes(4, "big")
    path.write_bytes(data)
    loader = ACOio(tmp_path)
    cover = loader.coverage()
    assert cover.files[1].seconds == pytest.approx(900_000 / 4096 * record_us() / 1e6, abs=1e-5)
    (gap,) = loader.load(BEGIN, 200 * SECOND).gaps
    assert abs(to_us(gap.begin) - to_us(minute.end)) <= 2
    assert (cover.gaps, cover.overlaps) == ((gap,), ())


def test_damage_within_a_flac_costs_the_sound_around_it(tmp_path: Path) -> None:
    (path, *_) = copies(tmp_path, "{:%Y-%m-%d--%H.%M}.flac", ".")
    data = bytearray(path.read_bytes())
    data[len(data) // 2 :][:3000] = b""
    data[len(data) // 2 : len(data) // 2 + 3000] = np.random.default_rng(0).bytes(3000)
    path.write_bytes(data)
    sound = ACOio(tmp_path).load(BEGIN, 100 * SECOND)
    wanted = cut(whole(), BEGIN, 100 * SECOND).samples.copy()
    assert 1 <= len(sound.gaps) <= 2
    assert 0 < sum(gap.seconds for gap in sound.gaps) < 3
    for gap in sound.gaps:
        wanted[sound.index_of(gap.begin) : sound.index_of(gap.end)] = 0
    assert np.array_equal(sound.samples, wanted)


def test_a_copy_of_another_time_than_its_name_is_a_stray(tmp_path: Path) -> None:
    copies(tmp_path)
    put_copy(tmp_path, ".", MIDNIGHT + timedelta(hours=9), minute_sound(1), "{:%Y%m%d-%H%M%S}.wav")
    cover = ACOio(tmp_path).coverage()
    assert cover.files[-1].fault == "a clock of another time"
    assert [stray.file for stray in cover.strays] == ["20240301-090000.wav"]
