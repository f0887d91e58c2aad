"""What is not well with a station, each with a word for it (pure).

Alerts rest on the same thresholds: monitoring/kilokai.rules.yml.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from daemon.health.status_lines import duration

NO_INPUT_S: Final = 900.0  # three files of five minutes did not come, or are not heard
STALLED_S: Final = 5.0  # more than a step takes, and told well before the watchdog ends it
UNSCORED_S: Final = 60.0  # of sound beyond what the model wants before it scores
DEAD_S: Final = 120.0  # of sound: two minutes, less than a file
CLOCK_OFF: Final = 1e-4  # a crystal is right to half of that
LAGGING_S: Final = 1800.0  # six files more than a drop needs
TOO_SLOW: Final = 1.1  # times real time: what waits is never heard
WELL: Final = "well"
_Said = Mapping[str, Any]


def troubles(daemon: _Said, said: _Said, now: datetime) -> dict[str, str]:
    """Return what is not well, the worst first: a word, and why in words.

    Nothing is wrong with a run that ended because all was done. `stopped`: somebody ended it;
    `down`: it ended without a word, or never ran; `starting`: it holds the store but shows no
    life, because it starts or hangs; the rest as `ailments`. `daemon` is as
    `daemon.health.status` returns, `said` what the daemon wrote itself.
    """
    if daemon["running"]:
        return ailments(said, now)
    return {} if daemon["finished"] else dict([_not_running(daemon)])


def ailments(said: _Said, now: datetime) -> dict[str, str]:
    """Return what is not well with a daemon that runs, by what it says itself.

    `full`: the store is; `drop_unreachable`: the drop cannot be listed; `unreadable`: some of
    it cannot be read; `stalled`: sound waits and nothing goes on; `dead_channel`: records come,
    and their channel is dead; `no_input`: nothing was read for long; `unscored`: it was read,
    but not scored; `lagging`: it is scored too late, and no faster than it comes; `clock`: the
    sampling rate is off by the clock of the records; `bus`: nobody can listen; `model`: the
    champion is refused and another model scores; `config`: a new one was refused.
    """
    found = {
        "full": "the store is full: work waits for room" if said.get("store_full") else "",
        "drop_unreachable": _because("the drop cannot be listed", said.get("drop_trouble")),
        "unreadable": _unreadable(said),
        "stalled": _stalled(said, now),
        "dead_channel": _dead_channel(said),
        "no_input": _no_input(said, now),
        "unscored": _unscored(said),
        "lagging": _lagging(said, now),
        "clock": _clock(said),
        "bus": _because("the bus is down, nobody can listen", said.get("bus_trouble")),
        "model": _model(said),
        "config": _because("the new configuration was refused", "; ".join(_faults(said))),
    }
    return {word: why for word, why in found.items() if why}


def _because(what: str, why: str | None) -> str:
    return f"{what}: {why}" if why else ""


def _unreadable(said: _Said) -> str:
    found = said.get("unreadable") or {"count": 0, "first": []}
    names = ", ".join(f"{one['name']} ({one['reason']})" for one in found["first"][:1])
    more = f" and {found['count'] - 1} more" if found["count"] > 1 else ""
    return _because("of the drop cannot be read", names and names + more)


def _stalled(said: _Said, now: datetime) -> str:
    written = said.get("written")  # which may be a while ago, and went_on_at is of then
    still_s = _since_s(said.get("went_on_at"), datetime.fromisoformat(written) if written else now)
    if still_s is None or still_s <= STALLED_S:
        return ""
    return f"sound waits and nothing has gone on for {still_s:.0f} s"


def _dead_channel(said: _Said) -> str:
    dead = said.get("dead_channel")
    if not dead or dead["seconds"] <= DEAD_S:
        return ""
    return f"{dead['reason']}, for {duration(dead['seconds'])} of sound since {dead['begin']}"


def _clock(said: _Said) -> str:
    off = said.get("clock_off") or 0.0
    if abs(off) <= CLOCK_OFF:
        return ""
    return f"the sampling rate is off by {1e6 * off:+.0f} ppm by the clock of the records"


def _no_input(said: _Said, now: datetime) -> str:
    still_s = _since_s(said.get("heard_at") or said.get("started"), now)
    if still_s is None or still_s <= NO_INPUT_S:
        return ""
    files = (said.get("backlog") or {}).get("files")
    waiting = f"{files} files wait" if files else "no new files"
    return f"nothing heard for {still_s / 60:.0f} minutes: {waiting}"


def _unscored(said: _Said) -> str:
    unscored_s = said.get("unscored_s") or 0.0
    if unscored_s <= (said.get("context_s") or 0.0) + UNSCORED_S:
        return ""
    return f"{duration(unscored_s)} of sound were heard and none of it scored"


def _lagging(said: _Said, now: datetime) -> str:
    """Say how far behind it is, if it does not catch up; of an archive it always is.

    `pace` is unknown until there was a quarter of an hour, and for a run over an archive.
    """
    pace, waiting_s = said.get("pace"), (said.get("backlog") or {}).get("seconds") or 0.0
    lag_s = _since_s(said.get("newest_scored"), now) or 0.0
    if pace is None or pace >= TOO_SLOW or _no_input(said, now):
        return ""
    if max(lag_s, waiting_s) <= LAGGING_S:
        return ""
    waits = f"{duration(waiting_s)} of sound wait" if waiting_s else "nothing waits"
    return f"scored up to {duration(lag_s)} ago, at {pace:.1f} times real time: {waits}"


def _model(said: _Said) -> str:
    trouble = said.get("model_trouble")
    return f"{trouble}; {said.get('model')} scores" if trouble else ""


def _faults(said: _Said) -> list[str]:
    return list((said.get("config") or {}).get("faults") or ())


def _since_s(time: str | None, now: datetime) -> float | None:
    return (now - datetime.fromisoformat(time)).total_seconds() if time else None


def _not_running(daemon: _Said) -> tuple[str, str]:
    if daemon["held"]:
        return "starting", f"starting or hung: last sign of life {daemon['written'] or 'none'}"
    if daemon["stopped"]:
        return "stopped", f"not running: stopped at {daemon['stopped']}"
    if daemon["written"]:
        return "down", f"not running: last sign of life {daemon['written']}"
    return "down", "not running: it never did"
