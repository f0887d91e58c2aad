"""The command on short sound with the pretrained model, and its faults."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]
from PIL import Image
from typer.testing import CliRunner

from acoio.simulate import OceanSettings, simulate_drop
from daemon.cli import app
from detector.scoring.checkpoint import read_model

LABELS = """begin_utc,end_utc,low_hz,high_hz,label,note
2024-03-01T06:01:30Z,2024-03-01T06:02:40Z,0,12000,background,faint streaks
2024-03-01T06:00:10Z,2024-03-01T06:00:12Z,100,900,song,
2024-03-01T06:03:00Z,2024-03-01T06:03:02Z,100,900,song,
"""


def _run(*words: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["evaluate", *map(str, words)])
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture(scope="module")
def drop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drop")
    list(simulate_drop(folder, seed=3, minutes=4, settings=OceanSettings(calls_per_hour=300)))
    (folder / "labels.csv").write_text(LABELS)
    return folder


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    tone = np.sin(2 * np.pi * 900 * np.arange(8000) / 8000) * np.hanning(8000)
    soundfile.write(folder / "a.wav", tone, 8000)
    soundfile.write(folder / "b.wav", np.zeros(8000), 8000)
    (folder / "labels.csv").write_text("file,label\na.wav,whale\nb.wav,whale\n")
    return folder


def test_every_source_is_told_in_80_columns_json_markdown_and_pictures(
    drop: Path, clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("curves", "levels", "measures"):
        monkeypatch.setattr(f"detector.evaluation.{module}.DRAWS", 20)
    out = tmp_path / "out"
    sources = ["--simulated", "0.1", "--recordings", drop, "--clips", clips]
    little = ["--typical", "0.2", "--background", "0.1", "--out", out]
    code, said, err = _run("ocean-v1", *sources, *little)
    assert (code, err) == (0, "")
    assert max(map(len, said.splitlines()[:-1])) <= 80
    found = json.loads((out / "evaluation.json").read_text())
    names = ["labelled", "simulated", "clips", "clips in recordings"]
    assert list(found["sources"]) == names
    for name in names:
        assert f"\n{name}: " in said
        every = found["sources"][name]["groups"][0]
        assert (every["name"], every["calls"] > 0) == ("all", True)
    assert found["model"]["id"] == read_model("ocean-v1").id
    assert found["settings"]["seed"] == 1
    assert "wanted 100 for 0.1 an hour" in " ".join(said.split())
    assert "1 of 2 calls lie where nothing is scored" in " ".join(said.split())
    assert "left out: clip b.wav: found silence" in said
    report = (out / "evaluation.md").read_text()
    assert all(f"## {name[0].upper()}{name[1:]}" in report for name in names)
    assert str(tmp_path) not in report + json.dumps(found["settings"])
    for picture in ("roc.png", "scores-labelled.png", "scores-simulated.png"):
        with Image.open(out / picture) as image:
            assert image.width > 1000


def test_json_is_all_that_is_printed(drop: Path, tmp_path: Path) -> None:
    words = ["--recordings", drop, "--json", "--seed", "4", "--out", tmp_path]
    code, said, _ = _run(*words)
    assert code == 0
    assert json.loads(said) == json.loads((tmp_path / "evaluation.json").read_text())


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (["--labels", "{drop}/labels.csv"], 78, "--labels: found .* without --recordings"),
        (["--recordings", "{drop}/none"], 78, "--recordings: .*none: no such file or folder"),
        (["--recordings", "{drop}", "--labels", "x.csv"], 78, "--labels: x.csv: no such file"),
        (["--clips", "{drop}"], 1, "labels.csv, line 1: found no column file"),
        (["no-such-model", "--simulated", "0.1"], 78, "no-such-model"),
        (["--recordings", "{clips}"], 1, "found no recording in"),
    ],
)
def test_what_cannot_be_is_told_in_a_line(
    drop: Path, clips: Path, tmp_path: Path, words: list[str], code: int, reason: str
) -> None:
    filled = [word.format(drop=drop, clips=clips) for word in words]
    found, out, err = _run(*filled, "--out", tmp_path / "out")
    assert (found, out) == (code, "")
    assert err.startswith("kilokai: ")
    assert err.count("\n") == 1
    assert re.search(reason, err)


def test_labels_of_another_day_are_told(drop: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text(LABELS.replace("2024-03-01", "2024-03-02"))
    code, _, err = _run("--recordings", drop, "--labels", other, "--out", tmp_path / "out")
    assert code == 1
    assert "found 2 calls and none of them where recordings were scored, 2024-03-01" in err


def test_wrong_use_exits_2(tmp_path: Path) -> None:
    assert _run("--simulated", "0", "--out", tmp_path)[0] == 2
