"""What is heard is the sound without the swell, as loud as it gets, and what was done is told."""

from __future__ import annotations

import base64
import io
import re
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]
from numpy.typing import NDArray

from acoio.facts import facts
from acoio.player import Player, html, listen
from acoio.sound import Gap, Sound

from .feeds import NAME, RATE_HZ, begins_us


def sea(seconds: float, rate_hz: float = RATE_HZ, tone_hz: float = 300.0) -> Sound:
    """Return a tone of 50 counts under a swell of 50,000."""
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    wave = 50 * np.sin(2 * np.pi * tone_hz * t) + 50_000 * np.sin(2 * np.pi * 0.2 * t)
    marks = begins_us(-(-len(t) // 4096)) - begins_us(1)[0]
    marks = begins_us(1)[0] + np.rint(marks * (RATE_HZ / rate_hz)).astype(np.int64)
    return Sound(np.rint(wave).astype(np.int32), rate_hz, marks, file=NAME)


def heard(player: Player) -> tuple[NDArray[np.float64], int]:
    samples, rate_hz = soundfile.read(io.BytesIO(player.flac))
    return samples, rate_hz


def loudest_hz(samples: NDArray[np.float64], rate_hz: float) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum) * rate_hz / len(samples))


def test_the_swell_is_gone_and_the_tone_is_loud() -> None:
    samples, rate_hz = heard(listen(sea(4)))
    assert (len(samples), rate_hz) == (96_000, 24_000)
    middle = samples[12_000:-12_000]
    assert loudest_hz(middle, rate_hz) == pytest.approx(300, abs=1)
    assert 0.5 < np.abs(middle).max() <= 1
    assert abs(middle.mean()) < 1e-3


def test_a_faster_player_is_higher_and_shorter() -> None:
    samples, rate_hz = heard(listen(sea(4, tone_hz=30), speed=8))
    assert len(samples) / rate_hz == pytest.approx(0.5, abs=0.01)
    assert loudest_hz(samples, rate_hz) == pytest.approx(240, abs=3)
    assert rate_hz <= 96_000


def test_a_slow_rate_is_made_one_that_browsers_play() -> None:
    samples, rate_hz = heard(listen(sea(8, rate_hz=1000.0)))
    assert rate_hz >= 8000
    assert len(samples) / rate_hz == pytest.approx(8, abs=0.01)
    assert loudest_hz(samples, rate_hz) == pytest.approx(300, abs=1)


def test_a_player_says_what_was_done() -> None:
    assert re.match(r"above 20 Hz, full scale is [\d.,]+ counts$", listen(sea(1)).caption)
    assert listen(sea(1), speed=2).caption.endswith("2 times as fast")
    with pytest.raises(ValueError, match="found 100, wanted 1/16 to 64"):
        listen(sea(1), speed=100)


def test_silence_is_silent() -> None:
    sound = replace(sea(1), samples=np.zeros(24_000, np.int32))
    samples, _ = heard(listen(sound))
    assert not samples.any()


def test_html_holds_a_picture_the_very_sound_and_the_facts() -> None:
    sound = sea(4)
    page = html(sound)
    picture = re.search(r'src="data:image/png;base64,([^"]+)"', page)
    audio = re.search(r'src="data:audio/flac;base64,([^"]+)"', page)
    assert picture
    assert audio
    assert base64.b64decode(picture[1]).startswith(b"\x89PNG")
    assert base64.b64decode(audio[1]) == listen(sound).flac
    assert "2024-03-01 06:00:00.000 to 2024-03-01 06:00:04.000 UTC" in page
    assert "at 24000 Hz, no gaps" in page


def test_html_of_a_long_sound_plays_its_first_minute_and_says_so() -> None:
    sound = sea(90, rate_hz=2000.0)
    page = html(sound)
    assert "the player has the first 60 s; Listen() has all" in page
    audio = re.search(r'src="data:audio/flac;base64,([^"]+)"', page)
    assert audio
    samples, rate_hz = soundfile.read(io.BytesIO(base64.b64decode(audio[1])))
    assert len(samples) / rate_hz == pytest.approx(60, abs=0.1)


def test_html_of_a_few_samples_is_a_wave() -> None:
    assert 'alt="wave"' in html(sea(0.01))


def test_facts_name_the_first_gaps_and_count_the_others() -> None:
    sound = sea(4)
    second = timedelta(seconds=0.5)
    gaps = [Gap(sound.begin + k * second, sound.begin + k * second + second / 5) for k in range(5)]
    assert "1 gap: 2024-03-01 06:00:00.000 (0.100 s)" in facts(replace(sound, gaps=(gaps[0],)))
    told = facts(replace(sound, gaps=tuple(gaps)))
    assert "5 gaps: " in told
    assert " and 2 more, " in told


def test_ipython_is_never_needed() -> None:
    code = "import sys; sys.modules['IPython'] = None; import acoio.player, acoio.view"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_any_name_of_a_file_has_a_page() -> None:
    for name in ("a$\\q$b.wav", "a\nb<c>.wav", "\udcff.wav"):
        assert html(replace(sea(0.5), file=name)).encode().startswith(b"<div>")


def test_captions_say_counts_in_plain_digits_and_that_there_is_silence() -> None:
    loud = replace(sea(1), samples=sea(1).samples * 40)
    digits = listen(loud).caption.partition("full scale is ")[2]
    assert "e+" not in digits
    assert "," in digits
    silent = replace(sea(1), samples=np.zeros_like(sea(1).samples))
    assert listen(silent).caption.endswith(", silent")
