import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from acoio import ACOio, parse_filename
from acoio.audio import read_audio
from acoio.errors import DataError
from daemon.evidence.paths import LONGEST, evidence_path, wanted_span, with_evidence
from daemon.evidence.picture import event_picture, event_title
from daemon.evidence.retention import KINDS
from daemon.evidence.sound import Neighbours, neighbours, sound_around
from daemon.evidence.worker import HALVES, Place, put, results
from daemon.ledger.stored import reading, stored_events
from detector.values import iso
from tests.daemon.sea import Sea

_ID = "0123456789abcdef"
_BEGIN = "2018-10-28T00:15:02.000001Z"


def place_of(store: Path, drop: Path) -> Place:
    return Place(store, drop, "aco", 24_000.0, 5.0)


def test_a_path_is_made_of_the_event_alone() -> None:
    folders = "2018/10/28/20181028T001502.000001Z-0123456789abcdef"
    paths = [str(evidence_path(_ID, _BEGIN, kind)) for kind in KINDS]
    assert paths == [f"clips/{folders}.flac", f"pictures/{folders}.png"]
    assert str(evidence_path(_ID, "2018-10-27T14:15:02.000001-10:00", "clip")) == paths[0]


@pytest.mark.parametrize(
    ("event_id", "begin"),
    [
        ("../../../etc/cron", _BEGIN),
        (f"/{_ID[1:]}", _BEGIN),
        (f"{_ID}\n", _BEGIN),
        (_ID.upper(), _BEGIN),
        ("", _BEGIN),
        ("０１２３４５６７８９ａｂｃｄｅｆ", _BEGIN),  # digits, but not ours
        (_ID, "../../2018"),
        (_ID, ""),
    ],
)
def test_a_hostile_id_or_begin_is_no_path(event_id: str, begin: str) -> None:
    with pytest.raises(DataError, match="found the"):
        evidence_path(event_id, begin, "clip")


def test_only_what_has_ended_says_where_its_evidence_lies() -> None:
    event = {"id": _ID, "begin": _BEGIN, "status": "open"}
    assert with_evidence(event) == event
    assert {*with_evidence({**event, "status": "closed"})} == {*event, "clip", "picture"}


def test_of_a_long_event_the_beginning_is_kept() -> None:
    begin = datetime.fromisoformat(_BEGIN)
    for seconds, kept in ((10, 10), (3600, LONGEST.total_seconds())):
        event = {"begin": _BEGIN, "end": iso(begin + timedelta(seconds=seconds))}
        context = timedelta(seconds=5)
        assert wanted_span(event, 5.0) == (
            begin - context,
            begin + timedelta(seconds=kept) + context,
        )


def _event_at(drop: Path, sea: Sea, file: int, at_s: float, length_s: float) -> dict[str, Any]:
    """Return an event that begins so far into a file of the drop."""
    name = [name for name, _ in sea.cut()][file]
    sound = ACOio(drop).load(parse_filename(name).begin + timedelta(seconds=30), timedelta(1e-5))
    sample = round(at_s * 24_000)
    begin = sound.begin + timedelta(seconds=(sample - sound.sample) / 24_000.127)
    end = begin + timedelta(seconds=length_s)
    return {"id": _ID, "begin": iso(begin), "end": iso(end), "file": name, "sample": sample}


@pytest.mark.parametrize(
    ("file", "at_s", "length_s"), [(1, 30, 4), (1, 2, 4), (1, 117, 6), (1, 20, 250)]
)
def test_the_sound_around_an_event_goes_over_the_borders_of_files(
    heard: Path, sea: Sea, file: int, at_s: float, length_s: float
) -> None:
    event = _event_at(heard / "drop", sea, file, at_s, length_s)
    begin, end = wanted_span(event, 5.0)
    with reading(heard / "store") as database:
        near = neighbours(database, event)
    found = sound_around(heard / "drop", event, near, (begin, end), rate_hz=24_000)
    wanted = ACOio(heard / "drop").load(begin, end - begin)
    assert found.gaps == ()
    assert abs((found.begin - begin).total_seconds()) < 1e-3
    first = found.index_of(wanted.begin)
    n = min(len(found.samples) - first, len(wanted.samples)) - 50
    assert n > 24_000 * (length_s + 5)
    offsets = [
        k
        for k in range(-2, 3)
        if np.array_equal(found.samples[first + 2 + k :][:n], wanted.samples[2 : 2 + n])
    ]
    assert offsets


def test_context_that_was_never_recorded_is_not_made_up(heard: Path, sea: Sea) -> None:
    event = _event_at(heard / "drop", sea, 2, 1, 3)
    first = next(iter(sea.cut()))[0]
    near = Neighbours((first, 120 * 24_000), ())  # the file between is missing
    found = sound_around(heard / "drop", event, near, wanted_span(event, 5.0), rate_hz=24_000)
    assert (found.file, found.sample, found.gaps) == (event["file"], 0, ())


def _made(store: Path, drop: Path, jobs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return list(results(jobs, place_of(store, drop)))


def test_a_clip_holds_the_very_samples_and_a_picture_shows_them(heard: Path, store: Path) -> None:
    event = stored_events(store)[1]
    jobs = [{"kind": kind, "event": event} for kind in KINDS]
    done = _made(store, heard / "drop", jobs)
    assert [result["outcome"] for result in done] == ["made", "made"]
    clip, picture = store / event["clip"], store / event["picture"]
    assert [path.stat().st_size for path in (clip, picture)] == [r["size_bytes"] for r in done]
    found = read_audio(clip)
    begin, end = wanted_span(event, 5.0)
    assert abs(found.begin - begin) < timedelta(milliseconds=1)
    assert abs(found.end - end) < timedelta(milliseconds=3)
    wanted = ACOio(heard / "drop").load(found.begin, found.duration)
    n = min(len(found.samples), len(wanted.samples)) - 4
    assert any(
        np.array_equal(found.samples[2 + k : k + n], wanted.samples[2:n]) for k in range(-2, 3)
    )
    with Image.open(picture) as image:
        assert image.format == "PNG"
        assert image.width > 900
    assert list((store / HALVES).iterdir()) == []


def test_the_picture_says_when_what_and_how_much(heard: Path, store: Path) -> None:
    event = stored_events(store)[0]
    first, second = event_title(event, "aco").splitlines()
    assert first.startswith(f"aco  {event['begin'][:10]} {event['begin'][11:19]} UTC, ")
    assert f"{event['low_hz']:.0f} to {event['high_hz']:.0f} Hz" in first
    assert f"score {event['score']:.1f} nats" in second
    sound = ACOio(heard / "drop").load(
        datetime.fromisoformat(event["begin"]), timedelta(seconds=10)
    )
    outlined = event_picture(sound, event, "$a$ & <b>")
    elsewhere = event_picture(sound, {**event, "high_hz": event["high_hz"] / 2}, "$a$ & <b>")
    assert outlined != elsewhere


def test_a_file_that_is_gone_is_told_apart_from_one_that_cannot_be_read(
    heard: Path, store: Path, drop: Path
) -> None:
    event = stored_events(store)[0]
    job = {"kind": "clip", "event": event}
    (gone,) = _made(store, drop, [job])
    assert (gone["outcome"], "No such file" in gone["reason"]) == ("gone", True)
    (drop / event["file"]).write_bytes(b"no records")
    (failed,) = _made(store, drop, [job])
    assert failed["outcome"] == "failed"
    (unmounted,) = _made(store, drop / "none", [job])
    assert unmounted["outcome"] == "failed"


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a/../../b"])
def test_a_name_that_leads_out_of_the_drop_is_not_read(heard: Path, store: Path, name: str) -> None:
    event = {**stored_events(store)[0], "file": f"{name}/2024-03-01--06.00.HYD24BBpk"}
    (result,) = _made(store, heard / "drop", [{"kind": "clip", "event": event}])
    assert result["outcome"] == "failed"
    assert "within the drop" in result["reason"]


def test_what_cannot_be_written_leaves_nothing(store: Path) -> None:
    def fail(half: Path) -> None:
        half.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    where = evidence_path(_ID, _BEGIN, "clip")
    with pytest.raises(OSError, match="No space"):
        put(store, where, fail)
    assert not (store / where).exists()
    assert list((store / HALVES).iterdir()) == []
    assert json.loads(json.dumps(str(where))).startswith("clips/")
