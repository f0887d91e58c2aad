"""19 to 34: hostile or odd inputs."""

from __future__ import annotations

import gzip
import io
import os
import socket
import time
import wave
from collections.abc import Callable, Sequence
from contextlib import closing

import numpy as np

from acoio.header import BYTES_PER_BIT, HEADER_BYTES, NEW, RECORD_SAMPLES
from acoio.writer import encode_records
from tests.daemon.sea import noise, records_of, with_bits
from tests.faults.lab import Lab
from tests.faults.life import until
from tests.faults.registry import fault
from tests.faults.shell import sh

_ODD = "2024-03-01--05.{:02d}.HYD24BBpk"


def beside(lab: Lab, odd: Sequence[tuple[str, bytes]]) -> None:
    """Deliver odd files, older than the sea, and then the sea; run until idle."""
    lab.put(odd)
    lab.put()
    assert lab.run() == 0


def remade(record: bytes, **fields: int) -> bytes:
    """Return a record with other fields in its header."""
    header = np.frombuffer(record[:HEADER_BYTES], NEW).copy()
    for name, value in fields.items():
        header[name] = value
    return header.tobytes() + record[HEADER_BYTES:]


def time_of(record: bytes) -> int:
    """Return the seconds of a record's clock."""
    return int(np.frombuffer(record[:HEADER_BYTES], NEW)["tSec"][0])


@fault(
    19, "an empty file", how="touch, beside four good files",
    wanted="set aside with the reason; the others scored",
)  # fmt: skip
def empty(lab: Lab) -> None:
    lab.aside = {_ODD.format(0): "empty file"}
    beside(lab, [(_ODD.format(0), b"")])


@fault(
    20, "a header alone, and less than a header", how="36 and 17 bytes of a good file",
    wanted="set aside with the reason; the others scored",
)  # fmt: skip
def header_only(lab: Lab) -> None:
    data = lab.files[0][1]
    lab.aside = {_ODD.format(0): "no record", _ODD.format(1): "no record"}
    beside(lab, [(_ODD.format(0), data[:HEADER_BYTES]), (_ODD.format(1), data[:17])])


@fault(
    21, "a piece of a record, or junk, at the end", how="the last file with half a record, with 999 bytes of noise, more",
    wanted="every whole record scored; what is left over is told in bytes",
)  # fmt: skip
def trailing(lab: Lab) -> str:
    *before, (name, data) = lab.files
    record = lab.sea.records[0]
    lab.put([*before, (name, data + record[: len(record) // 2])])
    assert lab.run() == 0
    row = lab.rows()[name]
    assert row["tail_bytes"] + row["damaged_bytes"] == len(record) // 2, row
    assert row["reason"], row
    return str(row["reason"])


@fault(
    22, "bytes that are no record", how="a file of noise; 5,000 bytes of noise in the middle of a good one",
    wanted="the first set aside; of the second the noise is lost and the record before it",
)  # fmt: skip
def bad_sync(lab: Lab) -> str:
    records = list(records_of(lab.files[1][1]))
    spoilt = b"".join([*records[:100], noise(5_000), *records[100:]])
    lab.aside = {_ODD.format(0): "no record"}
    name = lab.files[1][0]
    lab.put([(_ODD.format(0), noise(50_000)), lab.files[0], (name, spoilt), *lab.files[2:]])
    assert lab.run() == 0
    row = lab.rows()[name]
    assert row["records"] == len(records) - 1, row  # no header follows the one before the noise
    lab.sound = [lab.files[0], (name, spoilt), *lab.files[2:]]
    return str(row["reason"])


@fault(
    23, "a sample size that cannot be", how="bits 0, 33 and 255 in headers of the middle",
    wanted="these records lost and counted, all others scored",
)  # fmt: skip
def wrong_bits(lab: Lab) -> str:
    name, data = lab.files[1]
    records = list(records_of(data))
    for k, bits in ((50, 0), (60, 33), (70, 255)):
        records[k] = with_bits(records[k], bits)
    lab.put([lab.files[0], (name, b"".join(records)), *lab.files[2:]])
    assert lab.run() == 0
    row = lab.rows()[name]
    assert row["records"] == len(records) - 3, row
    lab.sound = [lab.files[0], (name, b"".join(records)), *lab.files[2:]]
    return str(row["reason"])


@fault(
    24, "record numbers that jump, repeat or are missing", how="one record cut out, one twice, one numbered 1,000,000 more",
    wanted="read on; the missing one is a gap; no window twice",
)  # fmt: skip
def numbers(lab: Lab) -> str:
    name, data = lab.files[1]
    records = list(records_of(data))
    records[300] = remade(records[300], Record=10**6, Record_Duplicate=10**6)
    changed = b"".join([*records[:100], *records[101:200], records[199], *records[200:]])
    lab.sound = [lab.files[0], (name, changed), *lab.files[2:]]
    lab.put(lab.sound)
    assert lab.run() == 0
    begins = [score["begin"] for score in lab.scores()]
    assert len(begins) == len(set(begins))
    assert lab.rows()[name]["records"] >= len(records) - 2, lab.rows()[name]
    gaps = [m["data"]["seconds"] for m in lab.outbox() if m["type"].endswith(".gap")]
    return f"gaps of {gaps} s"


@fault(
    25, "header times that cannot be, names that are no date",
    how="records of 1970, 2106 and a year off in a good file; names with 30 February, 24:60",
    wanted="the sound's time is the headers', odd ones cost themselves; such names set aside",
)  # fmt: skip
def odd_times(lab: Lab) -> str:
    name, data = lab.files[1]
    records = list(records_of(data))
    for k, time_s in ((50, 0), (60, 2**32 - 1), (70, 1_740_000_000)):
        records[k] = remade(records[k], tSec=time_s)
    changed = b"".join(records)
    names = ["2024-02-30--06.00.HYD24BBpk", "2024-03-01--24.60.HYD24BBpk"]
    lab.aside = dict.fromkeys(names, "no date")
    lab.sound = [lab.files[0], (name, changed), *lab.files[2:]]
    lab.put([*lab.sound, *((name, data) for name in names)])
    assert lab.run() == 0
    assert len(lab.scores()) > 200, len(lab.scores())
    years = {score["begin"][:4] for score in lab.scores()}
    assert years == {"2024"}, years
    return f"{len(lab.scores())} windows"


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
        _ODD.format(2): (_swapped(data[:500_000]), ""),
        _ODD.format(3): (_wav(100_000), "no record"),
    }
    lab.aside = {name: reason for name, (_, reason) in odd.items()}
    beside(lab, [(name, content) for name, (content, _) in odd.items()])


@fault(
    27, "a sparse file of a terabyte", how="truncate -s 1T, and one of 100 GB after a true beginning",
    wanted="refused by its size, in no time and no memory",
)  # fmt: skip
def sparse(lab: Lab) -> str:
    lab.aside = {_ODD.format(0): "size: found", _ODD.format(1): "size: found"}
    lab.put([(_ODD.format(1), lab.files[0][1][:100_000])])
    for k, size in ((0, 1 << 40), (1, 100 << 30)):
        with (lab.drop / _ODD.format(k)).open("ab") as file:
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
    28, "a compressed bomb", how="1 GB of zeros as .gz, and the same bytes under a recording's name",
    wanted="nothing is ever decompressed: one ignored, one set aside",
)  # fmt: skip
def bomb(lab: Lab) -> None:
    squeezed = gzip.compress(bytes(1 << 20), 9) * 1024
    lab.aside = {_ODD.format(0): "no record"}
    beside(lab, [(_ODD.format(0) + ".gz", squeezed), (_ODD.format(0), squeezed)])


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
def no_sound(lab: Lab) -> str:
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
    assert lab.run() == 0
    scores = [score["score"] for score in lab.scores()]
    assert np.isfinite(scores).all()
    return f"{len(scores)} finite scores"


@fault(
    30, "things that are no files", how="a FIFO, a socket, a device and a folder with recordings' names",
    wanted="set aside at once, never opened for ever",
)  # fmt: skip
def no_files(lab: Lab) -> None:
    os.mkfifo(lab.drop / _ODD.format(0))
    with closing(socket.socket(socket.AF_UNIX)) as bound:
        bound.bind(os.path.relpath(lab.drop / _ODD.format(1)))
        (lab.drop / _ODD.format(2)).mkdir()
        lab.aside = {_ODD.format(k): "no regular file" for k in (0, 1)}
        if os.geteuid() == 0:
            os.mknod(lab.drop / _ODD.format(3), 0o20600, os.makedev(1, 5))  # /dev/zero
            lab.aside[_ODD.format(3)] = "no regular file"
        lab.changed()
        lab.put()
        assert lab.run(deadline_s=20) == 0


@fault(
    31, "links", how="symbolic links to /etc/shadow, to a good file, to a folder above, to itself",
    wanted="never followed",
)  # fmt: skip
def links(lab: Lab) -> None:
    (lab.drop / _ODD.format(0)).symlink_to("/etc/shadow")
    (lab.drop / _ODD.format(1)).symlink_to(lab.drop / lab.files[0][0])
    (lab.drop / _ODD.format(2)).symlink_to(lab.drop / _ODD.format(2))
    (lab.drop / "up").symlink_to(lab.folder)
    (lab.drop / "loop").symlink_to(lab.drop)
    lab.aside = {_ODD.format(k): "no regular file" for k in range(3)}
    lab.changed()
    lab.put()
    assert lab.run(deadline_s=20) == 0
    assert len(lab.rows()) == len(lab.files) + 3, lab.rows().keys()


@fault(
    32, "hostile names", how="no UTF-8, new lines, ESC codes, 255 bytes, a leading -, quotes, right-to-left marks",
    wanted="nothing is injected into logs, metrics or messages; set aside or ignored",
)  # fmt: skip
def names(lab: Lab) -> None:
    data = lab.files[0][1][:50_000]
    told = ["a\nb.HYD24BBpk", "\x1b[31m\x1b]0;x\x07.HYD24BBpk", "x" * 245 + ".HYD24BBpk", "-rf.HYD24BBpk",
            "'\"; DROP TABLE files; --.HYD24BBpk", "\u202e.HYD24BBpk", "{a=\"b\"} 1.HYD24BBpk"]  # fmt: skip
    for name in told:
        (lab.drop / name).write_bytes(data)
    with open(os.fsencode(lab.drop) + b"/\xff\xfe.HYD24BBpk", "wb") as file:
        file.write(data)
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
    33, "a file that kills the decoder", how="the decoder calls abort() at one file; the daemon is started again each time",
    wanted="after bounded tries it is set aside with the reason, and the others are scored",
)  # fmt: skip
def poison(lab: Lab) -> str:
    name = _ODD.format(7)
    lab.put([(name, lab.files[0][1][:100_000])])
    lab.put()
    lab.aside = {name: ""}
    lives, code = 0, -6
    while code == -6 and lives < 9:
        lives += 1
        code = lab.run(hook=f"abort:{name}")
    assert code == 0, f"it died {lives} times of the same file (exit code {code})"
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
        lab.all_done(deadline_s=200)
        spent_s, rss = time.monotonic() - begin_s, life.status("VmRSS")
        beats = len(lab.recorder.beats)
        until(lambda: len(lab.recorder.beats) > beats + 5, "heartbeats go on", deadline_s=30)
    assert rss < 1_500_000, rss
    return f"scored after {spent_s:.0f} s, {rss / 1000:.0f} MB of memory"
