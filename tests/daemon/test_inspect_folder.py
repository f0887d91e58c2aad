"""`kilokai inspect DIR`: a calendar of what is there."""

import json
from datetime import timedelta
from pathlib import Path

from typer.testing import CliRunner

from daemon.calendar_lines import folder_lines, hour_bar
from daemon.cli import app
from tests.acoio.archives import MIDNIGHT, MINUTES, archive, content, copies, file_records, put


def _run(*words: str | Path) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["inspect", *(str(word) for word in words)])
    return result.exit_code, result.stdout, result.stderr


def _gappy(folder: Path) -> None:
    archive(folder, without=[1])
    put(folder, "{:%m/%d}", MINUTES[3], content(*file_records(3)))
    put(folder, "{:%Y/%m/%d}", MIDNIGHT + timedelta(days=9), b"")


def test_a_folder_is_a_calendar_of_80_columns_then_totals_then_gaps(tmp_path: Path) -> None:
    _gappy(tmp_path)
    code, out, err = _run(tmp_path)
    lines = out.splitlines()
    calendar = lines[: lines.index("")]
    assert (code, err) == (0, "")
    assert all(len(line) <= 80 for line in calendar)
    assert [line[:10] for line in calendar[1:]] == ["2024-02-29", "2024-03-01"]
    assert calendar[1][12:36] == 23 * "·" + "▁"
    assert "gaps: 1, 60.07" in out
    assert "overlaps: 1, 60." in out
    assert out.index("gaps:\n  2024-02-29 23:58:59.") > out.index("damaged: 0 bytes")
    assert "2024-03-10--00.00.HYD24BBpk: empty file" in out


def test_json_says_the_same(tmp_path: Path) -> None:
    _gappy(tmp_path)
    found = json.loads(_run(tmp_path, "--json")[1])
    assert [day["files"] for day in found["days"]] == [1, 3]
    assert found["gaps"][0]["begin"].startswith("2024-02-29T23:58:59")
    assert sum(day["seconds"] for day in found["days"]) == round(found["seconds"], 6)
    assert found["overlaps"][0]["kept"] == found["overlaps"][0]["file"]
    assert found["bits"] == {"10": found["records"]}
    assert len(found["files"]) == 5
    assert "\n".join(folder_lines(found)) + "\n" == _run(tmp_path)[1]


def test_a_folder_of_audio_is_told_as_one_of_recordings(tmp_path: Path) -> None:
    archive(tmp_path / "packed", without=[1])
    copies(tmp_path / "audio", "HYD_{:%Y%m%dT%H%M%S}Z.flac", without=[1])
    (tmp_path / "audio/20240301-000030.wav").write_bytes(b"RIFF")
    told = {x: json.loads(_run(tmp_path / x, "--json")[1]) for x in ("packed", "audio")}
    assert told["audio"]["seconds"] == told["packed"]["seconds"]
    assert len(told["audio"]["gaps"]) == 1
    assert (told["audio"]["layouts"], told["audio"]["records"]) == ({"FLAC": 3}, 0)
    lines = _run(tmp_path / "audio")[1]
    assert "layouts by files: FLAC (3)\nrecords by bits: no records\n" in lines
    assert "20240301-000030.wav: " in lines[lines.index("no sound:") :]


def test_a_folder_without_recordings_fails_in_one_line(tmp_path: Path) -> None:
    code, out, err = _run(tmp_path)
    assert (code, out) == (1, "")
    assert err.startswith("kilokai: ")
    assert err.count("\n") == 1


def test_an_hour_is_full_only_if_it_lacks_no_second() -> None:
    assert hour_bar([0, 0.1, 450, 1800, 3598, 3599.5, 3600]) == "·▁▁▄▇██"


def test_long_nothing_is_one_line() -> None:
    day = {"seconds": 0.0, "files": 0, "hours": [0.0] * 24, "bits": {}, "gaps": 0, "overlaps": 0}
    days = [{**day, "day": f"2024-03-{k:02d}"} for k in range(1, 8)]
    found = {
        **{
            key: []
            for key in ("files", "gaps", "overlaps", "corrections", "strays", "ignored", "others")
        },
        **{"bits": {}, "layouts": {}, "size_bytes": 0, "damaged_bytes": 0, "band": "BB"},
        **{"seconds": 0.0, "span_seconds": 1.0, "begin": "a", "end": "b", "days": days},
    }
    assert folder_lines(found)[1] == "2024-03-01  to 2024-03-07: 7 days of nothing"


def test_an_audio_file_is_told(tmp_path: Path) -> None:
    path = copies(tmp_path, tree=".")[0]
    code, out, _ = _run(path)
    assert code == 0
    assert "s of sound, " in out
    assert "WAV PCM_16, 1 channel at 24000 Hz" in out
    assert ", by the comment that save wrote" in out
    assert json.loads(_run(path, "--json")[1])["format"] == "WAV"


def test_a_broken_audio_file_fails_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"RIFF")
    code, out, err = _run(tmp_path / "a.wav")
    assert (code, out, err.count("\n")) == (1, "", 1)


def test_what_is_told_of_a_folder_fits_80_columns(tmp_path: Path) -> None:
    _gappy(tmp_path)
    copies(tmp_path, without=[0, 1, 2])
    day = tmp_path / "2024/03/01"
    (day / "2024-03-01--00.05.wav").write_bytes(b"RIFF")
    for name in ("boings.wav", "8.HYD24BBpk", "2024-03-01--99.00.HYD24BBpk"):
        (day / name).write_bytes(b"")
    for folder in ("resent", "2024/03/plots", ".cache"):
        (tmp_path / folder).mkdir()
    code, out, _ = _run(tmp_path)
    assert code == 0
    assert [line for line in out.splitlines() if len(line) > 80] == []
    assert str(tmp_path) not in out
    assert "\ncopies beside their recordings:\n  2024/03/01/2024-03-01--00.01.wav\n" in out
    faults = out[out.index("\nno sound:") : out.index("\ncopies beside")]
    assert "00.01.wav" not in faults
    assert "00.05.wav" in faults
    assert "layouts by files: new (4), WAV (1)\n" in out
    others = "not looked into, since the name is no date:\n  2024/03/plots/\n  resent/\n"
    assert others in out
    ignored = out[out.index("ignored, since the name does not say when:") :]
    assert [name in ignored for name in ("boings.wav", "8.HYD24BBpk", "--99.00")] == [True] * 3


def test_one_file_is_no_files(tmp_path: Path) -> None:
    archive(tmp_path, without=[0, 1, 2])
    out = _run(tmp_path)[1]
    assert "in 1 file of" in out
