"""What is not well with a station, each with a word for it (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

QUIET_S: Final = 900.0  # three files of five minutes did not come, or are not heard
WELL: Final = "well"


def troubles(found: Mapping[str, Any], now: datetime) -> dict[str, str]:
    """Return what is not well, the worst first: a word, and why in words.

    `stopped`: somebody ended it; `down`: it ended without a word, or never ran; `starting`:
    it holds the store but shows no life, because it starts or is stuck; `full`: the store
    is; `deaf`: the drop cannot be listed; `quiet`: nothing was heard for long; `model`: the
    champion is refused and another model scores; `config`: a new one was refused.
    """
    daemon = found["daemon"]
    if not daemon["running"]:
        return dict([_not_running(daemon)])
    wrong = {}
    if daemon["store_full"]:
        wrong["full"] = "the store is full: work waits for room"
    if daemon["drop_trouble"]:
        wrong["deaf"] = f"the drop cannot be listed: {daemon['drop_trouble']}"
    if quiet := _quiet(found, now):
        wrong["quiet"] = quiet
    if daemon["model_trouble"]:
        wrong["model"] = f"{daemon['model_trouble']}; {found['model']} scores"
    if faults := (found.get("config") or {}).get("faults"):
        wrong["config"] = f"the new configuration was refused: {'; '.join(faults)}"
    return wrong


def _quiet(found: Mapping[str, Any], now: datetime) -> str:
    since = datetime.fromisoformat(found["heard"]["heard_at"] or found["daemon"]["started"])
    quiet_s = (now - since).total_seconds()
    if quiet_s <= QUIET_S:
        return ""
    files = found["backlog"]["files"]
    waiting = f"{files} files wait" if files else "no new files"
    return f"nothing heard for {quiet_s / 60:.0f} minutes: {waiting}"


def _not_running(daemon: Mapping[str, Any]) -> tuple[str, str]:
    if daemon["stopped"]:
        return "stopped", f"not running: stopped at {daemon['stopped']}"
    if daemon["held"]:
        return "starting", f"starting or stuck: last sign of life {daemon['written'] or 'none'}"
    if daemon["written"]:
        return "down", f"not running: last sign of life {daemon['written']}"
    return "down", "not running: it never did"
