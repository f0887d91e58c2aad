"""The oracle: what must be true after every fault, once it is lifted.

I1  every recording of the drop is finished in the ledger, or set aside with its reason
I2  the drop is as it was delivered, to the last bit
I3  an event's id is the hash of what made it, and no two events have the same
I4  numbers rise by exactly 1 within an epoch and are never used again
I5  what a subscriber is given, live or on request, is the outbox, each once, in order
I6  nothing was published that is not in the outbox
I7  the counters add up
I8  threads and handles do not grow
and where the sound is whole, scores and events are those of an unbroken run, bit for bit.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

from acoio.clock import to_us
from daemon.bus.wire import TOPIC_PREFIX
from detector.events import event_id
from tests.faults.contents import Contents
from tests.faults.lab import FINAL, Lab
from tests.faults.life import Life, until
from tests.faults.recorder import everything

_STATION: Final = "aco"
_MORE_HANDLES: Final = 16  # the watcher's, subscribers' connections and a scrape's
_MORE_THREADS: Final = 6
_EVENT: Final = f"{TOPIC_PREFIX}event"


class ViolationError(AssertionError):
    """What did not hold, a line for each."""


def oracle(lab: Lab) -> None:
    """Let a daemon finish what the fault left, and look at all that it knows and says.

    Raises
    ------
    ViolationError
        With every invariant that does not hold.
    """
    wrong: list[str] = []
    before = lab.unchanged()
    with lab.life() as life:
        life.ready()
        wrong += _settled(lab, life)
        newest = until(lambda: _quiet(lab), "the numbers stand still")
        wrong += _given(lab, newest)
        wrong += _counted(lab, life)
        wrong += _recorded(lab)
        life.signal(signal.SIGTERM)
        wrong += [*_finished(lab), *_unchanged(lab, before)]
        if (code := life.stop()) != 0:
            wrong.append(f"SIGTERM: found exit code {code}, wanted 0")
    if _goes_on(lab) and (code := lab.run(deadline_s=300)) != bool(lab.aside):
        wrong.append(f"run until idle: found exit code {code}: {lab.log.read_text()[-500:]}")
    wrong += [*_events(lab), *_numbers(lab)]
    if lab.sound is not None:
        wrong += _as_unbroken(lab, lab.reference.of(lab.sound))
    if "Traceback" in (said := lab.log.read_text("utf-8", "replace")) and not lab.may_crash:
        wrong.append(f"a bug crashed it: {said[said.index('Traceback') :][-600:]}")
    if wrong:
        raise ViolationError("\n".join(wrong))


def _goes_on(lab: Lab) -> bool:
    """Say whether an event is open where the sound ends: a run until idle closes it."""
    lanes = [value for key, value in lab.meta().items() if key.startswith("lane.")]
    return any(json.loads(lane)["tracker"] for lane in lanes)


def _settled(lab: Lab, life: Life) -> Iterator[str]:
    """Wait until all is finished, and look at the process before and after."""
    handles, threads = life.handles(), life.status("Threads")
    until(lambda: life.ended() or not lab.pending(), "every file is finished (I1)")
    if life.ended():
        yield f"the daemon ended with {life.wait()}: {life.said()[-500:]}"
        return
    if (now := life.handles()) > handles + _MORE_HANDLES:
        yield f"I8: found {now} handles, wanted no more than the {handles} of the start"
    if (now := life.status("Threads")) > threads + _MORE_THREADS:
        yield f"I8: found {now} threads, wanted no more than the {threads} of the start"


def _quiet(lab: Lab) -> int | None:
    """Return the newest number, once it is known to be in the outbox."""
    newest = int(lab.meta()["sequence"])
    box = lab.outbox()
    return newest if not box or box[-1]["row"] == newest else None


def _given(lab: Lab, newest: int) -> Iterator[str]:
    """I5: a late subscriber, and the one that was there all the time."""
    box = _plain(lab.outbox(), newest)
    late = _plain(everything(lab.publish, lab.replay, newest, **lab.recorder.curve), newest)
    if late != box:
        yield f"I5: a late subscriber was given {_numbers_of(late)}, wanted {_numbers_of(box)}"
    epoch = lab.meta()["epoch"]

    def handed() -> list[str]:
        mine = [m for m in list(lab.recorder.handed) if m["epoch"] == epoch]
        return _plain(mine, newest)

    with suppress(AssertionError):
        until(lambda: len(handed()) >= len(box), "")
    if handed() != box:
        found = _numbers_of(handed())
        yield f"I5: the subscriber was given {found}, wanted {_numbers_of(box)}"


def _recorded(lab: Lab) -> Iterator[str]:
    """I4 and I6: whatever was heard live stands in the outbox with the same words."""
    epoch = lab.meta()["epoch"]
    box = {message["sequence"]: message for message in lab.outbox()}
    for message in list(lab.recorder.heard):
        if message["epoch"] != epoch:
            if not lab.new_epoch:
                yield f"I4: heard epoch {message['epoch']}, wanted {epoch} alone"
                return
        elif _words(message) != _words(box.get(message["sequence"], {})):
            yield f"I6: heard {message['sequence']}, which is not so in the outbox"


def _counted(lab: Lab, life: Life) -> Iterator[str]:
    """I7: what the page says of files and numbers is what the ledger says."""
    rows = lab.rows()
    if unfinished := [name for name, row in rows.items() if row["state"] not in FINAL]:
        gone = [name for name in unfinished if not (lab.drop / name).exists()]
        if gone != unfinished:
            yield f"I7: found {unfinished} unfinished in the ledger, wanted none"
    if (sequence := life.metric("kilokai_bus_sequence")) != int(lab.meta()["sequence"]):
        yield f"I7: the page says number {sequence:g}, the ledger {lab.meta()['sequence']}"
    until(lambda: life.metric("kilokai_backlog_files") == 0, "I7: no backlog on the page")


def _finished(lab: Lab) -> Iterator[str]:
    """I1: each file of the drop is finished, and only those with a fault are set aside."""
    rows = lab.rows()
    for name in lab.wanted():
        row = rows.get(name)
        if row is None or row["state"] not in FINAL:
            yield f"I1: {name!r} is {row['state'] if row else 'unknown'}, wanted it finished"
        elif (row["state"] == "set_aside") != (name in lab.aside):
            wanted = "set aside" if name in lab.aside else "read"
            yield f"I1: {name!r} is {row['state']} ({row['reason']}), wanted it {wanted}"
        elif lab.aside.get(name, "") not in row["reason"]:
            yield f"I1: {name!r}: found reason {row['reason']!r}, wanted {lab.aside[name]!r}"


def _unchanged(lab: Lab, before: Contents) -> Iterator[str]:
    """I2: the drop is as it was delivered."""
    now = lab.contents()
    for path, known in before.items():
        if now.get(path) != known:
            yield f"I2: {path!r} is {now.get(path)}, wanted {known}"
    if more := now.keys() - before.keys():
        yield f"I2: found {sorted(more)[:5]} in the drop, which nobody delivered"


def _events(lab: Lab) -> Iterator[str]:
    """I3: ids are what the sound makes them."""
    for event in lab.events():
        begin_us = to_us(datetime.fromisoformat(event["begin"]))
        if event["id"] != (wanted := event_id(_STATION, event["model"], begin_us)):
            yield f"I3: found id {event['id']}, wanted {wanted}"
    stored = {event["id"] for event in lab.events()}
    said = {m["data"]["id"] for m in lab.outbox() if m["type"] == _EVENT}
    if not said <= stored:
        yield f"I3: messages tell of {sorted(said - stored)}, which are not stored"
    if lab.oldest() == 1 and not stored <= said:
        yield f"I3: no message tells of {sorted(stored - said)}"


def _numbers(lab: Lab) -> Iterator[str]:
    """I4: numbers without a hole, each message bearing the number of its row."""
    box, meta = lab.outbox(), lab.meta()
    rows = [message["row"] for message in box]
    if rows != list(range(lab.oldest(), int(meta["sequence"]) + 1)):
        yield f"I4: found numbers {_numbers_of(box)}, wanted them up to {meta['sequence']}"
    for message in box:
        if (message["sequence"], message["epoch"]) != (message["row"], meta["epoch"]):
            yield f"I4: row {message['row']} says {message['epoch']} {message['sequence']}"


def _as_unbroken(lab: Lab, wanted: dict[str, Any]) -> Iterator[str]:
    """Scores and events to the last bit."""
    scores = lab.scores()
    if scores != wanted["scores"]:
        yield f"scores: {_difference(scores, wanted['scores'])}"
    unbroken = [_of_sound(event) for event in wanted["events"]]
    keys = unbroken[0].keys() if unbroken else ()
    events = [{key: event.get(key) for key in keys} for event in map(_of_sound, lab.events())]
    if lab.in_order and events != unbroken:
        yield f"events: {_difference(events, unbroken)}"


def _of_sound(event: dict[str, Any]) -> dict[str, Any]:
    """Return an event, its file by the last part of the name alone."""
    return {**event, "file": event["file"].rpartition("/")[2]}


def _difference(found: list[Any], wanted: list[Any]) -> str:
    a, b = {x["begin"]: x for x in found}, {x["begin"]: x for x in wanted}
    other = [begin for begin in a.keys() & b.keys() if a[begin] != b[begin]]
    text = f"found {len(found)}, wanted {len(wanted)}: {len(b.keys() - a.keys())} missing"
    first = sorted([*other, *(a.keys() ^ b.keys())])[:1]
    for begin in other[:1]:
        text += (
            f" ({ {k: (a[begin].get(k), v) for k, v in b[begin].items() if a[begin].get(k) != v} })"
        )
    return f"{text}, {len(a.keys() - b.keys())} too many, {len(other)} different; first at {first}"


def _plain(messages: list[dict[str, Any]], newest: int) -> list[str]:
    return [_words(message) for message in messages if message["sequence"] <= newest]


def _words(message: dict[str, Any]) -> str:
    return json.dumps({k: v for k, v in message.items() if k != "row"}, sort_keys=True)


def _numbers_of(messages: list[Any]) -> str:
    numbers = [json.loads(m)["sequence"] if isinstance(m, str) else m["row"] for m in messages]
    return f"{len(numbers)} messages, {numbers[:3]} to {numbers[-3:]}"
