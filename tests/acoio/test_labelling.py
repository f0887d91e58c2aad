"""The page holds every piece of sound, and its table is read back as it was marked."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acoio.errors import DataError, NotReadyError
from acoio.labelling import Label, label_page, labeller, pieces, read_labels, write_labels
from acoio.sound import Gap, Sound

from .feeds import NAME, RATE_HZ, begins_us, noise

CHROMIUM, NODE = Path("/usr/bin/chromium"), shutil.which("node")
TWO = timedelta(seconds=2)


@pytest.fixture(scope="module")
def sound() -> Sound:
    return Sound(noise(50), RATE_HZ, begins_us(50), file=NAME)  # 8.53 s


@pytest.fixture(scope="module")
def page(sound: Sound, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return label_page(sound, tmp_path_factory.mktemp("page") / "page.html", 'Mn, "song" </script>')


def told(page: Path) -> dict[str, Any]:
    found = re.search(r'id="pieces">(.*?)</script>', page.read_text("utf-8"), re.DOTALL)
    assert found
    return dict(json.loads(found[1]))


def script(page: Path) -> str:
    found = re.search(r"<script>(.*?)</script>", page.read_text("utf-8"), re.DOTALL)
    assert found
    return found[1]


def test_pieces_follow_each_other_and_lose_nothing(sound: Sound) -> None:
    found = list(pieces(sound, TWO))
    assert np.array_equal(np.concatenate([part.samples for _, part in found]), sound.samples)
    assert [at for at, _ in found] == [0, 48_000, 96_000, 144_000, 192_000]
    assert all(part.sample == at for at, part in found)
    short = sound.piece(0, 100_000)
    assert [len(part.samples) for _, part in pieces(short, TWO)] == [48_000, 52_000]


def test_a_piece_without_sound_is_left_out(sound: Sound) -> None:
    gap = Gap(sound.time_of(90_000), sound.time_of(150_000))
    holed = replace(sound, gaps=(gap,))
    assert [at for at, _ in pieces(holed, TWO)] == [0, 48_000, 144_000, 192_000]


def test_the_page_holds_a_picture_and_the_sound_of_each_piece(page: Path, sound: Sound) -> None:
    rows = told(page)["pieces"]
    assert len(rows) == 5
    assert rows[1]["begin_utc"] == sound.time_of(48_000).isoformat().replace("+00:00", "Z")
    for row in rows:
        samples, rate_hz = soundfile.read(io.BytesIO(base64.b64decode(row["audio"].split(",")[1])))
        assert rate_hz == 24_000
        assert np.abs(samples).max() > 0.5
        assert base64.b64decode(row["picture"].split(",")[1]).startswith(b"\x89PNG")


def test_the_page_needs_nothing_else(page: Path) -> None:
    class Links(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert not [name for name, _ in attrs if name in ("src", "href")]

    text = page.read_text("utf-8")
    Links().feed(text)
    assert "__" not in re.sub(r'id="pieces">.*?</script>', "", text, flags=re.DOTALL)


def test_in_a_notebook_the_page_shows_in_a_frame(sound: Sound) -> None:
    class Frames(HTMLParser):
        pages: list[str | None]

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert tag == "iframe"
            self.pages = [value for name, value in attrs if name == "srcdoc"]

    made = labeller(sound.piece(0, 60_000), "boing")
    frames = Frames()
    frames.feed(made._repr_html_())
    assert frames.pages == [made.page]


@pytest.mark.skipif(NODE is None, reason="no node to run the page's script")
def test_what_is_marked_on_the_page_is_read_back(page: Path, tmp_path: Path) -> None:
    """Run the page's own script on a stand-in for the browser: check, note, save."""
    stand_in = """
    const made = [];
    function element(tag) {
      const e = { tag, children: [], on: {}, style: {}, classList: { toggle() {} }, value: "" };
      e.append = (...c) => e.children.push(...c);
      e.addEventListener = (name, f) => { e.on[name] = f; };
      e.querySelector = () => e.children.flatMap((c) => c.children || []).find(
        (c) => c.type === "checkbox");
      made.push(e);
      return e;
    }
    const ids = {};
    const document = {
      createElement: element,
      querySelector: () => element("main"),
      getElementById: (id) => ids[id] = ids[id] || (id === "pieces"
        ? { textContent: require("fs").readFileSync(0, "utf8") } : element(id)),
    };
    const kept = {};
    const localStorage = { getItem: (k) => kept[k], setItem: (k, v) => { kept[k] = v; } };
    """
    acts = """
    const boxes = made.filter((e) => e.type === "checkbox");
    const notes = made.filter((e) => e.type === "text");
    boxes[1].checked = true; boxes[1].on.change();
    notes[2].value = 'a "loud", one'; notes[2].on.input();
    if (!kept[page.key].includes("loud")) throw new Error("nothing was remembered");
    process.stdout.write(ids.table.textContent);
    """
    code = tmp_path / "page.js"
    code.write_text(stand_in + script(page).replace('"use strict";', "") + acts)
    done = subprocess.run(
        [str(NODE), str(code)],
        input=json.dumps(told(page)).encode(),
        capture_output=True,
        check=False,
    )
    assert not done.stderr.decode()
    (tmp_path / "labels.csv").write_bytes(done.stdout)
    labels = read_labels(tmp_path / "labels.csv")
    assert [label.checked for label in labels] == [False, True, False, False, False]
    assert labels[2].note == 'a "loud", one'
    assert {label.label for label in labels} == {'Mn, "song" </script>'}
    assert [label.sample for label in labels] == [0, 48_000, 96_000, 144_000, 192_000]
    assert labels[0].file == NAME


@pytest.mark.skipif(not CHROMIUM.exists(), reason="no chromium")
def test_a_browser_shows_the_page(page: Path, tmp_path: Path) -> None:
    command = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    command += [f"--user-data-dir={tmp_path}", page.as_uri()]
    dom = subprocess.run(command, capture_output=True, timeout=60, check=True).stdout.decode()
    assert dom.count("<article") == 5
    assert "0 of 5 checked" in dom


HEAD = "begin_utc,end_utc,file,sample,label,checked,note\n"
ROW = "2016-02-18T08:15:00.000000Z,2016-02-18T08:15:02.000000Z,a,0,song,1,\n"


def test_a_table_is_read_and_becomes_annotations(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text(HEAD + ROW)
    (label,) = read_labels(tmp_path / "labels.csv")
    assert isinstance(label, Label)
    assert label.end - label.begin == TWO
    marked = label.annotation()
    assert (marked.begin, marked.label, marked.low_hz) == (label.begin, "song", None)


@pytest.mark.parametrize(
    "row", [ROW.replace(",1,", ",TRUE,"), ROW.replace(",0,", ",0.0,"), ROW[:-2]]
)
def test_a_table_is_the_same_after_other_programs_saved_it(tmp_path: Path, row: str) -> None:
    for name, line in (("page", ROW), ("other", row)):
        (tmp_path / name).write_text(HEAD + line + "\n")
    assert read_labels(tmp_path / "other") == read_labels(tmp_path / "page")


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("begin_utc,end_utc\n", "no column file, sample, label, checked, wanted"),
        (HEAD + ROW.replace(",1,", ",yes,"), "line 2: checked: found 'yes'"),
        (HEAD + ROW.replace("2016", "x"), "line 2: begin_utc: found 'x-.*, wanted a time in UTC"),
        (HEAD + "2016-02-18T08:15:00Z\n", "line 2: found 1 cells, wanted 6 at least"),
        (HEAD + ROW.replace(",0,", ",0.5,"), "line 2: sample: found '0.5', wanted a whole number"),
    ],
)
def test_a_damaged_table_is_refused_with_its_line(tmp_path: Path, content: str, fault: str) -> None:
    (tmp_path / "labels.csv").write_text(content)
    with pytest.raises(DataError, match=fault):
        read_labels(tmp_path / "labels.csv")


def test_a_table_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotReadyError, match="No such file"):
        read_labels(tmp_path / "labels.csv")


def test_pieces_too_short_to_see_are_refused(sound: Sound) -> None:
    with pytest.raises(ValueError, match="wanted 50 ms or more"):
        labeller(sound, piece=timedelta(milliseconds=1))


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
TIMES = st.datetimes(datetime(2007, 1, 1), datetime(2099, 1, 1))  # noqa: DTZ001
LABELS = st.builds(
    Label, TIMES, TIMES, TEXTS, st.integers(0, 10**9), TEXTS, st.booleans(), note=TEXTS
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(LABELS, max_size=4))
def test_a_table_gives_back_what_was_written(tmp_path: Path, labels: list[Label]) -> None:
    write_labels(tmp_path / "labels.csv", labels)
    assert list(read_labels(tmp_path / "labels.csv")) == labels


def test_a_table_is_written_as_the_page_saves_it(tmp_path: Path) -> None:
    begin = datetime(2016, 2, 18, 8, 15, tzinfo=UTC)
    write_labels(tmp_path / "labels.csv", [Label(begin, begin + TWO, "a", 0, "song", True)])
    assert (tmp_path / "labels.csv").read_bytes() == (HEAD + ROW).replace("\n", "\r\n").encode()


def test_a_label_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    label = Label(datetime(2016, 2, 18, tzinfo=UTC), datetime.now(UTC), "\udcff", 0, "song", True)
    with pytest.raises(DataError, match="in a label, wanted UTF-8"):
        write_labels(tmp_path / "labels.csv", [label])
    with pytest.raises(NotReadyError, match="No such file"):
        write_labels(tmp_path / "none" / "labels.csv", [])


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ((HEAD + ROW).encode() + b"\xff", "labels.csv, line 3: found no UTF-8"),
        ((HEAD + ROW + "a\rb\n").encode(), "labels.csv, line 3: "),
        ((HEAD + "x" * 200_000).encode(), "labels.csv, line 2: found no CSV: field larger"),
    ],
)
def test_what_is_no_table_is_refused_with_its_line(
    tmp_path: Path, content: bytes, fault: str
) -> None:
    (tmp_path / "labels.csv").write_bytes(content)
    with pytest.raises(DataError, match=fault):
        read_labels(tmp_path / "labels.csv")


def test_any_name_of_a_file_has_a_page(sound: Sound, tmp_path: Path) -> None:
    odd = replace(sound.piece(0, 60_000), file="\udcff\n$<b>.wav")
    assert "<title>" in label_page(odd, tmp_path / "page.html").read_text("utf-8")


def test_a_sound_is_labelled_by_its_place_and_time(sound: Sound, tmp_path: Path) -> None:
    piece = sound[timedelta(seconds=2) : timedelta(seconds=4)]
    write_labels(tmp_path / "mine.csv", [Label.of(piece, "boing", note="faint")])
    (read,) = read_labels(tmp_path / "mine.csv")
    assert (read.begin, read.end, read.sample) == (piece.begin, piece.end, piece.sample)
    assert (read.file, read.label, read.checked, read.note) == (NAME, "boing", True, "faint")
