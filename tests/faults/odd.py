"""19 to 34: hostile or odd inputs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from acoio.header import HEADER_BYTES, NEW
from tests.daemon.sea import noise, records_of, with_bits
from tests.faults.lab import Lab
from tests.faults.registry import Said, fault

ODD = "2024-03-01--05.{:02d}.HYD24BBpk"


def beside(lab: Lab, odd: Sequence[tuple[str, bytes]]) -> None:
    """Deliver odd files, older than the sea, and then the sea."""
    lab.put(odd)
    lab.put()


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
    lab.aside = {ODD.format(0): "empty file"}
    beside(lab, [(ODD.format(0), b"")])


@fault(
    20, "a header alone, and less than a header", how="36 and 17 bytes of a good file",
    wanted="set aside with the reason; the others scored",
)  # fmt: skip
def header_only(lab: Lab) -> None:
    data = lab.files[0][1]
    lab.aside = {ODD.format(0): "no record", ODD.format(1): "no record"}
    beside(lab, [(ODD.format(0), data[:HEADER_BYTES]), (ODD.format(1), data[:17])])


@fault(
    21, "a piece of a record, or junk, at the end",
    how="the last file with half a record more",
    wanted="every whole record scored; what is left over is told in bytes",
)  # fmt: skip
def trailing(lab: Lab) -> Said:
    *before, (name, data) = lab.files
    record = lab.sea.records[0]
    lab.put([*before, (name, data + record[: len(record) // 2])])
    yield
    row = lab.rows()[name]
    assert row["tail_bytes"] + row["damaged_bytes"] == len(record) // 2, row
    assert row["reason"], row
    return str(row["reason"])


@fault(
    22, "bytes that are no record",
    how="a file of noise; 5,000 bytes of noise in the middle of a good one",
    wanted="the first set aside; of the second the noise is lost and the record before it",
)  # fmt: skip
def bad_sync(lab: Lab) -> Said:
    records = list(records_of(lab.files[1][1]))
    spoilt = b"".join([*records[:100], noise(5_000), *records[100:]])
    lab.aside = {ODD.format(0): "no record"}
    name = lab.files[1][0]
    lab.sound = [lab.files[0], (name, spoilt), *lab.files[2:]]
    lab.put([(ODD.format(0), noise(50_000)), *lab.sound])
    yield
    row = lab.rows()[name]
    assert row["records"] == len(records) - 1, row  # no header follows the one before the noise
    return str(row["reason"])


@fault(
    23, "a sample size that cannot be", how="bits 0, 33 and 255 in headers of the middle",
    wanted="these records lost and counted, all others scored",
)  # fmt: skip
def wrong_bits(lab: Lab) -> Said:
    name, data = lab.files[1]
    records = list(records_of(data))
    for k, bits in ((50, 0), (60, 33), (70, 255)):
        records[k] = with_bits(records[k], bits)
    lab.sound = [lab.files[0], (name, b"".join(records)), *lab.files[2:]]
    lab.put(lab.sound)
    yield
    row = lab.rows()[name]
    assert row["records"] == len(records) - 3, row
    return str(row["reason"])


@fault(
    24, "record numbers that jump, repeat or are missing",
    how="one record cut out, one twice, one numbered 1,000,000 more",
    wanted="read on; the missing one is a gap; no window twice",
)  # fmt: skip
def numbers(lab: Lab) -> Said:
    name, data = lab.files[1]
    records = list(records_of(data))
    records[300] = remade(records[300], Record=10**6, Record_Duplicate=10**6)
    changed = b"".join([*records[:100], *records[101:200], records[199], *records[200:]])
    lab.sound = [lab.files[0], (name, changed), *lab.files[2:]]
    lab.put(lab.sound)
    yield
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
def odd_times(lab: Lab) -> Said:
    name, data = lab.files[1]
    records = list(records_of(data))
    for k, time_s in ((50, 0), (60, 2**32 - 1), (70, 1_740_000_000)):
        records[k] = remade(records[k], tSec=time_s)
    changed = b"".join(records)
    names = ["2024-02-30--06.00.HYD24BBpk", "2024-03-01--24.60.HYD24BBpk"]
    lab.aside = dict.fromkeys(names, "no date")
    lab.sound = [lab.files[0], (name, changed), *lab.files[2:]]
    lab.put([*lab.sound, *((name, data) for name in names)])
    yield
    assert len(lab.scores()) > 100, len(lab.scores())
    years = {score["begin"][:4] for score in lab.scores()}
    assert years == {"2024"}, years
    return f"{len(lab.scores())} windows"
