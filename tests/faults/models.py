"""64: models of the registry that must not score, and switches cut short."""

from __future__ import annotations

import random
import time
from typing import Final

from daemon.models.registry import Registry
from tests.daemon.models.made import SPOILT, judged, of_another_rate, registry_of
from tests.faults.kills import SEED
from tests.faults.lab import Lab, pieces
from tests.faults.life import Life, until
from tests.faults.registry import Said, fault

_KILLS: Final = 12
_KINDS: Final = ("cut short", "a bit flipped", "not finite", "a pickle", "other golden scores")
_LONGEST_S: Final = 0.6
_FAILURES: Final = "kilokai_model_load_failures_total"


def _refused(life: Life, reason: str, count: int) -> None:
    name = f'{_FAILURES}{{reason="{reason}"}}'
    until(lambda: life.metric(name) == count, f"{count} refused as {reason}")


def _pointed(registry: Registry, target: str) -> None:
    """Let the registry's link point somewhere, as nobody's command would."""
    new = registry.path / "by-hand"
    new.symlink_to(target)
    new.replace(registry.path / "current")


@fault(
    64, "a champion that must not score",
    how=f"{len(_KINDS)} ways to spoil a registered model, another rate, a dangling link, a link "
    "out of the registry, each made the champion while the daemon runs",
    wanted="refused once, with the reason; counted; the former model goes on",
)  # fmt: skip
def bad_champions(lab: Lab) -> str:
    registry, (sound,) = registry_of(lab.store, "sound")
    reasons = {}
    for kind in _KINDS:
        (model,) = registry_of(lab.store, kind.replace(" ", "-"))[1]
        spoil, reasons[model] = SPOILT[kind]
        spoil(registry.folder(model))
    slow = registry.register(of_another_rate(lab.folder), judged())
    reasons |= {slow: "rate", "gone-00000000": "missing", "/etc": "other"}
    files = list(lab.files)
    with lab.life() as life:
        life.ready()
        wanted: dict[str, int] = {}
        for target, reason in reasons.items():
            _pointed(registry, target)
            wanted[reason] = wanted.get(reason, 0) + 1
            _refused(life, reason, wanted[reason])
            if files:
                lab.put([files.pop(0)])
        (registry.path / "current").unlink()
        lab.put(files)
        lab.all_done()
        assert life.metric("kilokai_model_switches_total") == 0
    assert lab.log.read_text().count("model refused") == len(reasons)
    assert registry.folder(sound).exists()
    return f"{len(reasons)} champions refused"


@fault(
    64, "killed while the model changes",
    how=f"{_KILLS} times another champion (or none), then SIGKILL within {_LONGEST_S} s, while "
    f"files come; seed {SEED}",
    wanted="each window scored once, by one model; each event named after the model that found it",
)  # fmt: skip
def killed_switching(lab: Lab) -> Said:
    rng = random.Random(SEED)
    registry, ids = registry_of(lab.store, "one", "two")
    files = pieces(lab.sea, _KILLS, minutes=1)
    lab.files = files
    lab.sound = None
    for k, file in enumerate(files):
        with lab.life() as life:
            life.ready()
            lab.put([file])
            if k % 2:
                lab.all_done()
            if k % 3 < 2:
                registry.promote(ids[k % 2])
            else:
                registry.rollback()
            time.sleep(rng.uniform(0.0, _LONGEST_S))
            life.kill()
    yield
    begins = [score["begin"] for score in lab.scores()]
    wanted = {score["begin"] for score in lab.reference.of(files)["scores"]}
    assert len(begins) == len(set(begins)), "a window was scored by two models"
    assert set(begins) == wanted, f"found {len(set(begins))} windows, wanted {len(wanted)}"
    models = [m["data"] for m in lab.outbox() if m["type"] == "kilokai.v1.model"]
    assert [m["previous"] for m in models] == [None, *(m["model"] for m in models[:-1])]
    assert {event["model"] for event in lab.events()} <= {m["model"] for m in models}
    return f"{_KILLS} kills, {len(models)} switches, {len(begins)} windows"
