"""Every check, in the order in which one rests on the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from acoio.errors import NotReadyError
from daemon.config import Config, ConfigError, load_config, strays
from daemon.doctor.addresses import check_keys, check_sockets
from daemon.doctor.finding import MARKS, Check, Finding, examine
from daemon.doctor.keeping import check_daemon, check_ledger, check_retraining
from daemon.doctor.machine import check_clock, check_gpu, check_hints
from daemon.doctor.places import check_disk, check_drop, check_store
from daemon.doctor.scoring import check_model, check_score
from daemon.doctor.versions import check_versions

_TORCH_S = 120.0  # its import takes seconds, on a cold disk and a busy machine more
_DROP_S = 5.0  # a network drive that hangs is a finding, too


def examined(
    path: Path | None, sets: Sequence[str], environ: Mapping[str, str]
) -> Iterator[Finding]:
    """Yield what there is to find, as it is found; a wrong configuration leaves the rest out."""
    yield from examine([Check("versions", check_versions, _TORCH_S)])
    try:
        config = load_config(path, sets, environ)
    except ConfigError as error:
        for fault in error.faults:
            yield Finding("config", "fail", str(fault))
    except NotReadyError as error:
        yield Finding("config", "fail", str(error))
    else:
        where = f"{path or 'no file'}: every key is right"
        yield Finding("config", "ok", where)
        for name, meant in strays(environ).items():
            yield Finding("config", "warn", f"{name} is no key", f"name it {meant}")
        yield from examine(_of_station(config))
    yield from examine([Check("gpu", check_gpu, _TORCH_S), Check("score", check_score, _TORCH_S)])


def _of_station(config: Config) -> list[Check]:
    return [
        Check("drop", lambda: check_drop(config), _DROP_S),
        Check("store", lambda: check_store(config)),
        Check("disk", lambda: check_disk(config)),
        Check("hints", lambda: check_hints(config)),
        Check("clock", lambda: check_clock(config)),
        Check("sockets", lambda: check_sockets(config)),
        Check("keys", lambda: check_keys(config)),
        Check("ledger", lambda: check_ledger(config), 60.0),
        Check("daemon", lambda: check_daemon(config)),
        Check("model", lambda: check_model(config), _TORCH_S),
        Check("retrain", lambda: check_retraining(config)),
    ]


def as_json(found: Sequence[Finding]) -> dict[str, Any]:
    """Return the findings as plain values: `worst` is the worst mark of them."""
    worst = max((MARKS.index(finding.mark) for finding in found), default=0)
    return {
        "worst": MARKS[worst],
        "findings": [{"check": f.check, "mark": f.mark, "says": f.says, "do": f.do} for f in found],
    }
