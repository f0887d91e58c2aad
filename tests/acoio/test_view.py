"""Pictures show what is there, where it is, with axes that say so."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import matplotlib.dates as mdates
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from numpy.typing import NDArray

from acoio.calibration import COUNTS, Calibration
from acoio.clock import record_us, to_us
from acoio.columns import column_power, envelope
from acoio.load import read
from acoio.notebook import png
from acoio.picture import Box, draw_boxes, draw_spectrogram, save
from acoio.sound import Gap, Sound
from acoio.spectrogram import spectrogram
from acoio.view import KINDS, view, view_figure
from tests.shared import needs_recordings, real_files

from .feeds import BEGIN, RATE_HZ

TONE_HZ = 300.0


def sound_of(samples: NDArray[Any], rate_hz: float = RATE_HZ) -> Sound:
    marks = to_us(BEGIN) + np.rint(np.arange(0, len(samples), 4096) / 4096 * record_us(rate_hz))
    return Sound(samples, rate_hz, np.asarray(marks, np.int64), file="a file")


def sea(seconds: float, rate_hz: float = RATE_HZ) -> Sound:
    """Return noise under a swell a thousand times as strong, with a tone in the middle third."""
    n = round(seconds * rate_hz)
    t = np.arange(n) / rate_hz
    noise = np.random.default_rng(3).normal(0, 30, n)
    tone = np.where(np.abs(t / seconds - 0.5) < 1 / 6, 30, 0) * np.sin(2 * np.pi * TONE_HZ * t)
    return sound_of((noise + tone + 30_000 * np.sin(2 * np.pi * 0.3 * t)).astype(np.int32), rate_hz)


def with_gap(sound: Sound, first: int, last: int) -> Sound:
    samples = sound.samples.copy()
    samples[first:last] = 0
    return replace(sound, samples=samples, gaps=(Gap(sound.time_of(first), sound.time_of(last)),))


def mesh_of(axes: Axes) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return the edges of days and of Hz, and the levels that were drawn."""
    (mesh,) = (found for found in axes.collections if isinstance(found, QuadMesh))
    corners = np.asarray(mesh.get_coordinates())
    levels = np.ma.filled(np.ma.asarray(mesh.get_array()).astype(float), np.nan)
    return corners[0, :, 0], corners[:, 0, 1], levels


@pytest.fixture(scope="module")
def snippet() -> Sound:
    return sea(4)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_utc_below_a_unit_beside_and_its_file_above(
    snippet: Sound, kind: str
) -> None:
    axes = view(snippet, kind)
    assert axes.get_xlabel() == "2024-03-01 UTC"
    assert any(unit in axes.get_ylabel() for unit in ("counts", "Hz", "ms"))
    assert axes.get_title("left") == "a file"
    low, high = axes.get_xlim()
    assert low == mdates.date2num(snippet.begin)
    assert high == mdates.date2num(snippet.end)
    if kind == "mel":
        assert png(view_figure(snippet, kind)).startswith(b"\x89PNG")


@pytest.mark.parametrize("kind", ["spectrogram", "logspectrogram", "ltsa", "mel"])
def test_a_call_under_the_swell_is_the_brightest_where_it_is(snippet: Sound, kind: str) -> None:
    days, hz, levels = mesh_of(view(snippet, kind))
    rows = np.flatnonzero(hz[:-1] > 50)
    row = rows[np.nanargmax(np.nanmean(levels[rows], axis=1))]
    assert hz[row - 1] < TONE_HZ < hz[row + 2]
    loud = days[:-1][levels[row] > levels[row].max() - 6]
    seconds = (loud - mdates.date2num(snippet.begin)) * 86_400
    assert (seconds.min(), seconds.max()) == pytest.approx((4 / 3, 8 / 3), abs=0.15)
    assert levels[row].max() - np.median(levels[rows]) > 10


def test_colour_bars_say_what_their_levels_are_re(snippet: Sound) -> None:
    for kind, label in (
        ("spectrogram", "dB re 1 count²/Hz"),
        ("logspectrogram", "dB above background"),
    ):
        bar = view(snippet, kind).figure.axes[1]
        assert bar.get_ylabel() == label


def test_white_noise_has_its_true_level() -> None:
    rng = np.random.default_rng(0)
    sound = sound_of(rng.normal(0, 100, 240_000).astype(np.int32))
    _, hz, levels = mesh_of(view(sound, "spectrogram"))
    wanted_db = 10 * np.log10(100**2 / (RATE_HZ / 2))
    above = hz[:-1] > 100
    mean_db = 10 * np.log10(np.mean(10 ** (levels[above] / 10)))
    assert mean_db == pytest.approx(wanted_db, abs=0.1)


@pytest.mark.parametrize(("seconds", "rate_hz"), [(0.05, 24_000.0), (4, 24_000.0), (86_400, 2.0)])
def test_no_picture_has_more_columns_than_pixels(seconds: float, rate_hz: float) -> None:
    sound = sea(seconds, rate_hz)
    pixels = 9.0 * 110
    for kind in ("spectrogram", "logspectrogram"):
        _, hz, levels = mesh_of(view(sound, kind))
        assert levels.shape[1] <= pixels
        assert len(hz) <= 241
    assert len(envelope(sound, 700).lowest) <= 700


def test_time_is_told_as_finely_as_the_axis_is_long() -> None:
    for seconds, rate_hz, form in (
        (0.02, 24_000.0, r"06:00:00\.0\d\d"),
        (4, 24_000.0, r"06:00:0\d\.\d"),
        (60, 1000.0, r"06:0\d:\d\d"),
        (86_400, 1.0, r"\d\d:00"),
        (9 * 86_400, 0.1, r"03-\d\d \d\d h"),
    ):
        axes = view(sea(seconds, rate_hz), "raw")
        axes.figure.draw_without_rendering()  # type: ignore[union-attr]
        texts = [tick.get_text() for tick in axes.get_xticklabels()]
        assert len(texts) >= 3
        low, high = axes.get_xlim()
        shown = [
            text for at, text in zip(axes.get_xticks(), texts, strict=True) if low <= at <= high
        ]
        assert all(re.fullmatch(form, text) for text in shown), shown
    assert axes.get_xlabel() == "2024-03-01 to 2024-03-10 UTC"


def test_a_gap_is_hatched_and_nothing_is_drawn_in_it(snippet: Sound) -> None:
    sound = with_gap(snippet, 30_000, 50_000)
    for kind in ("wave", "logspectrogram"):
        axes = view(sound, kind)
        (hatched,) = (patch for patch in axes.patches if patch.get_hatch())
        box = hatched.get_extents().transformed(axes.transData.inverted())
        assert box.x0 == pytest.approx(mdates.date2num(sound.gaps[0].begin), abs=1e-9)
        assert box.x1 == pytest.approx(mdates.date2num(sound.gaps[0].end), abs=1e-9)
    power = column_power(sound, 480, 2048)
    middles = (power.edges[1:] + power.edges[:-1]) / 2
    assert np.array_equal(
        np.isnan(power.density).any(axis=0), (middles > 30_000) & (middles < 50_000)
    )


def test_gaps_do_not_leak_into_the_levels_beside_them(snippet: Sound) -> None:
    whole, cut = (
        column_power(s, 480, 2048).density for s in (snippet, with_gap(snippet, 30_000, 50_000))
    )
    known = ~np.isnan(cut).any(axis=0)
    assert np.all(np.isfinite(cut[:, known]))
    assert np.median(cut[2:, known]) == pytest.approx(np.median(whole[2:]), rel=0.1)
    assert cut[20:, known].max() <= whole[20:].max()


def test_a_sound_that_is_all_gap_is_drawn_as_that() -> None:
    sound = sea(1)
    sound = with_gap(sound, 0, len(sound.samples))
    for kind in KINDS:
        if kind != "cepstrum":
            assert len(view(sound, kind).patches) == 1


def test_silence_and_single_samples_have_pictures() -> None:
    for samples in (np.zeros(9000, np.int32), np.ones(1, np.int32), np.ones(3, np.float32)):
        for kind in ("wave", "raw"):
            view(sound_of(samples), kind)
    png(view_figure(sound_of(np.zeros(9000, np.int32)), "logspectrogram"))


def test_an_envelope_is_the_range_and_the_rms_of_each_column() -> None:
    samples = np.random.default_rng(1).normal(0, 100, 3_000_017).astype(np.int32)
    found = envelope(sound_of(samples), 100)
    for k in (0, 50, len(found.lowest) - 1):
        part = samples[found.edges[k] : found.edges[k + 1]]
        assert (found.lowest[k], found.highest[k]) == (part.min(), part.max())
        assert found.rms[k] == pytest.approx(np.sqrt(np.mean(part.astype(float) ** 2)))
    assert found.edges[-1] == len(samples)


def test_a_wave_with_few_samples_is_a_line_and_a_long_one_a_band(snippet: Sound) -> None:
    short = view(snippet.piece(0, 300), "raw")
    assert len(short.lines) == 1
    assert len(view(snippet, "wave").collections) == 2


def test_given_axes_are_drawn_on_and_given_back(snippet: Sound) -> None:
    figure = Figure()
    axes = figure.add_subplot()
    assert view(snippet, "wave", axes) is axes


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("a$\\q$b.wav", "a$\\q$b.wav"),
        ("one\ntwo\r\t.wav", "one\\ntwo\\r\\t.wav"),
        ("\udcff.wav", "\\udcff.wav"),
        ("\x00", "\\x00"),
        ("é {}_^%.wav", "é {}_^%.wav"),
    ],
)
def test_any_name_of_a_file_is_drawn_as_it_is_in_one_line(
    snippet: Sound, name: str, title: str
) -> None:
    axes = view(replace(snippet, file=name), "raw")
    assert axes.get_title("left") == title
    assert png(axes.figure).startswith(b"\x89PNG")  # type: ignore[arg-type]


def test_an_unknown_kind_is_refused_with_those_there_are(snippet: Sound) -> None:
    with pytest.raises(ValueError, match="found 'waves', wanted one of wave, raw"):
        view(snippet, "waves")


def test_pictures_leave_no_global_state(snippet: Sound, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "matplotlib.pyplot", raising=False)
    view(snippet, "logspectrogram")
    assert "matplotlib.pyplot" not in sys.modules


def test_a_notebook_shows_a_picture_once_when_the_cell_is_done(
    snippet: Sound, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooks: list[Any] = []
    shown: list[bytes] = []
    events = SimpleNamespace(
        register=lambda _event, hook: hooks.append(hook),
        unregister=lambda _event, hook: hooks.remove(hook),
    )
    shell = SimpleNamespace(events=events, kernel=object())
    display = SimpleNamespace(display=shown.append, Image=lambda data, format: data)
    ipython = SimpleNamespace(get_ipython=lambda: shell, display=display)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    view(snippet)
    assert not shown
    for hook in hooks:
        hook()
    assert len(shown) == 1
    assert not hooks


def test_boxes_lie_where_they_are_and_pictures_are_saved(snippet: Sound, tmp_path: Path) -> None:
    figure = Figure()
    axes = figure.add_subplot()
    draw_spectrogram(axes, spectrogram(with_gap(snippet, 30_000, 40_000)))
    second = timedelta(seconds=1)
    draw_boxes(axes, [Box(BEGIN, BEGIN + second, 100, 400)], color="cyan")
    (box,) = axes.patches
    assert box.get_extents().transformed(axes.transData.inverted()).height == pytest.approx(300)
    assert save(figure, tmp_path / "a.png").stat().st_size > 1000


class TestRecordings:
    pytestmark = needs_recordings

    def test_the_song_of_the_real_minutes_stands_out(self) -> None:
        sound = read(real_files()[0])
        days, hz, levels = mesh_of(view(sound, "logspectrogram"))
        seconds = (days[:-1] - mdates.date2num(sound.begin)) * 86_400
        song = (hz[:-1] > 230) & (hz[1:] < 290)
        sung = levels[np.ix_(song, (seconds > 10) & (seconds < 60))]
        quiet = levels[np.ix_(song, (seconds > 160) & (seconds < 210))]
        assert np.percentile(sung, 99.5) > 18
        assert np.percentile(quiet, 99.5) < 12


def test_a_calibration_moves_levels_and_says_its_unit() -> None:
    some = sea(3)
    known = Calibration(counts_per_unit=10.0)
    plain, calibrated = (some.View("ltsa", calibration=x) for x in (COUNTS, known))
    levels = [mesh_of(axes)[2] for axes in (plain, calibrated)]
    assert np.allclose(levels[0] - levels[1], 20)
    assert view_figure(some, "ltsa", known).axes[1].get_ylabel() == "dB re 1 µPa²/Hz"
    assert some.View("raw", calibration=known).get_ylabel() == "µPa"
    assert some.View("raw").get_ylabel() == "counts"


def test_a_column_that_has_any_sound_is_drawn_up_to_the_gap() -> None:
    some = sea(6)
    width = int(column_power(some, 100, 256).edges[1])
    first = 50 * width + width // 4  # the column's middle lies in the gap
    power = column_power(with_gap(some, first, 80 * width), 100, 256)
    assert not np.isnan(power.density[:, :51]).any()
    assert np.isnan(power.density[:, 51:80]).all()
    assert not np.isnan(power.density[:, 80:]).any()
