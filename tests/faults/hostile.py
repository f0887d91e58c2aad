"""26 to 34: hostile inputs."""

from __future__ import annotations

import gzip
import io
import os
import socket
import time
import wave
from collections.abc import Callable
from contextlib import closing

import numpy as np

from acoio.header import BYTES_PER_BIT, HEADER_BYTES, NEW, RECORD_SAMPLES
from acoio.writer import encode_records
from tests.daemon.sea import records_of
from tests.faults.lab import Lab
from tests.faults.life import until
from tests.faults.odd import ODD, beside
from tests.faults.registry import Said, fault
from tests.faults.shell import sh


def _wav(samples: int) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(24_000)
        file.writeframes(bytes(2 * samples))
    return out.getvalue()


def _swapped(data: bytes) -> bytes:
    whole = data[: len(data) // 4 * 4]
    return np.frombuffer(whole, "<u4").astype(">u4").tobytes()


@fault(
    26, "another rate, another byte order, another instrument",
    how="names of 96 kHz and of the HF band, swapped bytes, a WAV under a recording's name",
    wanted="never scored; set aside with what was found and wanted",
)  # fmt: skip
def other_format(lab: Lab) -> None:
    data = lab.files[0][1]
    odd = {
        "2024-03-01--05.00.HYD96BBpk": (data, "rate: found 96000"),
        "2024-03-01--05.01.HYD24HFpk": (data, "band: found HF"),
        ODD.format(2): (_swapped(data[:500_000]), ""),
        ODD.format(3): (_wav(100_000), "no record"),
    }
    lab.aside = {name: reason for name, (_, reason) in odd.items()}
    beside(lab, [(name, content) for name, (content, _) in odd.items()])


@fault(
    27, "a sparse file of a terabyte",
    how="truncate -s 1T, and one of 100 GB after a true beginning",
    wanted="refused by its size, in no time and no memory",
)  # fmt: skip
def sparse(lab: Lab) -> str:
    lab.aside = {ODD.format(0): "size: found", ODD.format(1): "size: found"}
    lab.put([(ODD.format(1), lab.files[0][1][:100_000])])
    for k, size in ((0, 1 << 40), (1, 100 << 30)):
        with (lab.drop / ODD.format(k)).open("ab") as file:
            file.truncate(size)
    lab.changed()
    begin_s = time.monotonic()
    lab.put()
    with lab.life() as life:
        rss = life.ready().status("VmRSS")
        lab.all_done()
        more = life.status("VmRSS") - rss
    assert more < 200_000, more
    return f"{time.monotonic() - begin_s:.1f} s, with the rest"


@fault(
    28, "a compressed bomb",
    how="1 GB of zeros as .gz, and the same bytes under a recording's name",
    wanted="nothing is ever decompressed: one ignored, one set aside",
)  # fmt: skip
def bomb(lab: Lab) -> None:
    squeezed = gzip.compress(bytes(1 << 20), 9) * 1024
    lab.aside = {ODD.format(0): "no record"}
    beside(lab, [(ODD.format(0) + ".gz", squeezed), (ODD.format(0), squeezed)])


def _sound(lab: Lab, samples: Callable[[int], np.ndarray]) -> bytes:
    """Return the second file's records with other samples."""
    records = list(records_of(lab.files[1][1]))
    out = []
    for k, record in enumerate(records):
        head = np.frombuffer(record[:HEADER_BYTES], NEW)[0]
        made = encode_records(
            samples(k).astype(np.int32), begins_us=[1_700_000_000_000_000], first_number=0
        )
        header = head.copy()
        header["SampleSize"] = (len(made) - HEADER_BYTES) // BYTES_PER_BIT
        out.append(header.tobytes() + made[HEADER_BYTES:])
    return b"".join(out)


@fault(
    29, "sound that is none: all zero, stuck, clipped, the loudest there can be",
    how="a file of each kind in the place of the second one",
    wanted="every score is a finite number, every message strict JSON, no slower",
)  # fmt: skip
def no_sound(lab: Lab) -> Said:
    rng = np.random.default_rng(29)
    full = (1 << 23) - 1
    kinds: list[Callable[[int], np.ndarray]] = [
        lambda k: np.zeros(RECORD_SAMPLES),
        lambda k: np.full(RECORD_SAMPLES, 12_345),
        lambda k: np.clip(rng.normal(0, 3 * full, RECORD_SAMPLES), -full, full),
        lambda k: full * (1 - 2 * (np.arange(RECORD_SAMPLES) % 2)),
        lambda k: np.where(rng.random(RECORD_SAMPLES) < 0.01, full, 0),
    ]
    minute = [_sound(lab, kind) for kind in kinds]
    each = len(list(records_of(minute[0]))) // len(kinds)
    mixed = b"".join(
        b"".join(list(records_of(data))[each * k : each * (k + 1)]) for k, data in enumerate(minute)
    )
    lab.sound = [lab.files[0], (lab.files[1][0], mixed), *lab.files[2:]]
    lab.put(lab.sound)
    yield
    scores = [score["score"] for score in lab.scores()]
    assert np.isfinite(scores).all()
    return f"{len(scores)} finite scores"


@fault(
    30, "things that are no files",
    how="a FIFO, a socket, a device and a folder with recordings' names",
    wanted="set aside at once, never opened for ever",
)  # fmt: skip
def no_files(lab: Lab) -> Said:
    os.mkfifo(lab.drop / ODD.format(0))
    with closing(socket.socket(socket.AF_UNIX)) as bound:
        bound.bind(os.path.relpath(lab.drop / ODD.format(1)))
        (lab.drop / ODD.format(2)).mkdir()
        lab.aside = {ODD.format(k): "no regular file" for k in (0, 1)}
        if os.geteuid() == 0:
            os.mknod(lab.drop / ODD.format(3), 0o20600, os.makedev(1, 5))  # /dev/zero
            lab.aside[ODD.format(3)] = "no regular file"
        lab.changed()
        lab.put()
        yield
    return None


@fault(
    31, "links", how="symbolic links to /etc/shadow, to a good file, to a folder above, to itself",
    wanted="never followed",
)  # fmt: skip
def links(lab: Lab) -> Said:
    (lab.drop / ODD.format(0)).symlink_to("/etc/shadow")
    (lab.drop / ODD.format(1)).symlink_to(lab.drop / lab.files[0][0])
    (lab.drop / ODD.format(2)).symlink_to(lab.drop / ODD.format(2))
    (lab.drop / "up").symlink_to(lab.folder)
    (lab.drop / "loop").symlink_to(lab.drop)
    lab.aside = {ODD.format(k): "no regular file" for k in range(3)}
    lab.changed()
    lab.put()
    yield
    assert len(lab.rows()) == len(lab.files) + 3, lab.rows().keys()
    return None


@fault(
    32, "hostile names",
    how="no UTF-8, new lines, ESC codes, 255 bytes, a leading -, quotes, right-to-left marks",
    wanted="nothing is injected into logs, metrics or messages; set aside or ignored",
)  # fmt: skip
def names(lab: Lab) -> None:
    data = lab.files[0][1][:50_000]
    told = [
        "a\nb.HYD24BBpk",
        "\x1b[31m\x1b]0;x\x07.HYD24BBpk",
        "x" * 245 + ".HYD24BBpk",
        "-rf.HYD24BBpk",
        "'\"; DROP TABLE files; --.HYD24BBpk",
        "\u202e.HYD24BBpk",
        '{a="b"} 1.HYD24BBpk',
    ]
    for name in told:
        (lab.drop / name).write_bytes(data)
    (lab.drop / os.fsdecode(b"\xff\xfe.HYD24BBpk")).write_bytes(data)
    lab.aside = dict.fromkeys(told, "file name: found")
    lab.changed()
    lab.put()
    with lab.life() as life:
        life.ready()
        lab.all_done()
        page = life.page()
    said = lab.log.read_bytes()
    assert b"\x1b" not in said
    assert all(line.startswith(b"{") for line in said.splitlines()), "the log has a broken line"
    assert "DROP" not in page
    said.decode("utf-8")


@fault(
    33, "a file that kills the decoder",
    how="the decoder calls abort() at one file; the daemon is started again each time",
    wanted="after bounded tries it is set aside with the reason, and the others are scored",
)  # fmt: skip
def poison(lab: Lab) -> str:
    name = ODD.format(7)
    lab.put([(name, lab.files[0][1][:100_000])])
    lab.put()
    lab.aside = {name: ""}
    lives, code = 0, -6
    while code == -6 and lives < 9:
        lives += 1
        code = lab.run(hook=f"abort:{name}")
    assert code == 1, f"it died {lives} times of the same file (exit code {code})"
    assert lives <= 7, lives
    return f"died {lives - 1} times, then: {lab.rows()[name]['reason']}"


@fault(
    34, "a million files in the drop", how="a million names on a tmpfs beside the four recordings",
    wanted="the recordings are scored, heartbeats go on, memory stays bounded",
    needs=("root",), fast=False,
)  # fmt: skip
def million(lab: Lab) -> str:
    sh("mount", "-t", "tmpfs", "-o", "nr_inodes=0", "tmpfs", lab.drop)
    lab.undo("umount", "-l", lab.drop)
    for k in range(1_000):
        folder = lab.drop / f"{k:03d}"
        folder.mkdir()
        for n in range(1_000):
            os.close(os.open(folder / f"n{n}", os.O_CREAT | os.O_WRONLY))
    with lab.life() as life:
        life.ready()
        begin_s = time.monotonic()
        lab.put()
        lab.all_done(deadline_s=300)
        spent_s, rss = time.monotonic() - begin_s, life.status("VmRSS")
        beats = len(lab.recorder.beats)
        until(lambda: len(lab.recorder.beats) > beats + 5, "heartbeats go on", deadline_s=30)
    assert rss < 1_500_000, rss
    return f"scored after {spent_s:.0f} s, {rss / 1000:.0f} MB of memory"
