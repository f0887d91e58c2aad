"""The course of a retraining: choose, train, measure, decide, register, switch.

One at a time.  The ledger is only read; a model in the making lies where nobody looks for
one, and comes in, and becomes champion, in one step each.  Killed at any instant it leaves
the registry as it was, and the next one begins anew.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from acoio import ACOio
from acoio.coverage import Coverage
from acoio.errors import DataError, NotReadyError, SetupError, unusable
from daemon.config import Config
from daemon.locks import HeldError, locked
from daemon.models.chosen import chosen_model
from daemon.models.folders import told
from daemon.models.registry import Registry
from daemon.models.verdict import Verdict
from daemon.owner import private_files, require_owner
from daemon.retraining.acceptance import reasons_against
from daemon.retraining.examination import Evenings, hear_evenings, reasons_of
from daemon.retraining.figures import told_health
from daemon.retraining.first import first_model, references
from daemon.retraining.hours import Hours, choice_of, hours_of, require_hours
from daemon.retraining.known import Known, known_of
from daemon.retraining.measuring import Contest, measured
from daemon.retraining.recent import OutOfSeasonError, changed, last_days
from daemon.retraining.state import LOCK_FILE, Outcome, state_before, write_state
from detector.calibration.alarm_rates import TooLittleSoundError
from detector.scoring.checkpoint import read_model, write_model
from detector.scoring.score import Model
from detector.training.injected import simulated_clips
from detector.training.phases import TrainSettings
from detector.training.recipe import STATE, Recipe, cook
from detector.training.sources import ChosenHours
from detector.values import iso

_FRESH: Final = TrainSettings(roll=True, shift_bands=2)
_WARM: Final = replace(
    _FRESH, phase1_steps=300, phase2_steps=600, phase1_rate=5e-4, phase2_rate=5e-4
)
"""From known weights: at a rate that does not undo them."""

_CLIPS_EACH: Final = 100  # of a kind, to learn from
_DESCRIPTION: Final = (
    "Trained by `kilokai retrain` on typical hours of this station, with simulated calls in "
    "hours of all times, and calibrated on other typical hours."
)

Lines = Generator[str, None, "Ended"]


@dataclass(frozen=True, eq=False)
class Ended:
    """How a retraining ended: against whom, of what candidate, why, and by which figures."""

    outcome: Outcome
    champion: str
    reasons: tuple[str, ...] = ()
    candidate: str | None = None
    figures: dict[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def retrain(config: Config, *, seed: int) -> Lines:
    """Yield how it goes, and return how it ended; the state file says so as well.

    Raises
    ------
    SetupError
        If there is no ledger, no champion that could be gone on from, the store is not
        root's, who asks, or so few hours of calibration cannot promise the rate.
    NotReadyError
        If another one runs, or the disk is full.
    """
    store = config.store.path
    with ExitStack() as stack:
        _enter(stack, store)
        state = state_before(store).begun(_now(), _champion_name(config))
        write_state(store, state)
        try:
            ended = yield from _run(config, seed)
        except BaseException as error:
            reason = str(error) or type(error).__name__
            with suppress(NotReadyError):  # a full disk: the error is what must be known
                write_state(store, state.ended(_now(), "failed", reasons=(reason,)))
            raise
        state = replace(state, champion=ended.champion)
        reasons, candidate = ended.reasons, ended.candidate
        write_state(store, state.ended(_now(), ended.outcome, reasons=reasons, candidate=candidate))
    return ended


def _enter(stack: ExitStack, store: Path) -> None:
    require_owner(store)
    stack.enter_context(private_files())
    try:
        stack.enter_context(locked(store / LOCK_FILE))
    except HeldError as error:
        raise NotReadyError(f"{store}: process {error.owner} retrains already") from error
    except OSError as error:
        raise unusable(f"store.path: {store}", error) from error


def _champion_name(config: Config) -> str | None:
    with suppress(SetupError, NotReadyError):  # `_run` meets it again, and it is told
        return Path(chosen_model(config)).name
    return None


def _run(config: Config, seed: int) -> Lines:
    rival = Registry(config.store.path).champion()  # before the champion: a later one is told
    champion = read_model(chosen_model(config))
    require_hours(config, champion)
    known = known_of(config.store.path)
    try:
        return (yield from _made(config, champion, known, seed=seed, rival=rival))
    except OutOfSeasonError as error:
        return Ended("out_of_season", champion.id, (str(error),))
    except TooLittleSoundError as error:
        return Ended("too_little", champion.id, (str(error),))
    except DataError as error:  # such sound, that no model can be made of it
        return Ended("refused", champion.id, (str(error),))


def _made(config: Config, champion: Model, known: Known, *, seed: int, rival: str | None) -> Lines:
    """Examine the hydrophone, choose what is heard, and go on with that."""
    folder = config.retrain.archive or config.drop.path
    archive, registry = ACOio(folder, band=config.drop.band), Registry(config.store.path)
    since = changed(config)
    known, first = known.since(since), first_model(registry, champion, since)
    yield f"champion {champion.id}; looking through {config.retrain.days} days of {folder}"
    coverage = yield from last_days(archive, config)
    evenings = yield from _evenings(coverage, config, champion)
    health = evenings.compared(references(champion, first, since))
    if not health:
        yield f"the hydrophone could not be examined: {evenings.unexamined}"
    if reasons := reasons_of(health, evenings.missing):
        told = {"health": told_health(health), "missing": list(evenings.missing)}
        return Ended("refused", champion.id, reasons, None, told)
    hours = hours_of(coverage, known, choice_of(config), config=config, seed=seed)
    yield from hours.notes
    contest = Contest(
        champion=champion,
        rate_per_hour=config.detector.false_alarms_per_hour,
        archive=archive,
        hours=hours,
        source=_source(hours, champion, known, seed=seed),
        known=known,
        evenings=evenings,
        health=health,
        first=first,
        since=since,
        seed=seed,
    )
    recipe = _recipe(config, champion, coverage, seed=seed)
    return (yield from _decided(contest, recipe, registry=registry, rival=rival))


def _decided(contest: Contest, recipe: Recipe, *, registry: Registry, rival: str | None) -> Lines:
    """Train a candidate, measure it, register it with the verdict, and promote it if it may."""
    champion = contest.champion.id
    with registry.candidate() as new:
        yield from _trained(new, recipe, contest.source)
        figures = yield from measured(contest, new)
        reasons, told = reasons_against(figures), figures.as_json()
        verdict = Verdict(not reasons, reasons, told, champion, _now())
        candidate = registry.register(new, verdict)
    if not reasons:
        registry.promote(candidate, by="retrain", reason="passed the gate", rival=rival)
    return Ended("refused" if reasons else "accepted", champion, reasons, candidate, told)


def _source(hours: Hours, champion: Model, known: Known, *, seed: int) -> ChosenHours:
    return ChosenHours(
        hours.chosen,
        hours.choice,
        champion.features,
        calls=known.calls,
        clips=simulated_clips(_CLIPS_EACH, seed=seed, features=champion.features),
        judged=known.judged,
    )


def _evenings(
    coverage: Coverage, config: Config, champion: Model
) -> Generator[str, None, Evenings]:
    newest = timedelta(days=config.retrain.reference_days)
    choice, features = choice_of(config), champion.features
    return (yield from hear_evenings(coverage, choice, features=features, newest=newest))


def _recipe(config: Config, champion: Model, coverage: Coverage, *, seed: int) -> Recipe:
    warm = config.retrain.start == "champion"
    return Recipe(
        f"{config.station.name}-{coverage.end:%Y%m%d}",
        replace(_WARM if warm else _FRESH, seed=seed),
        champion.features,
        threads=config.retrain.threads,
        promised_per_hour=config.detector.false_alarms_per_hour,
        like=champion,
        warm=warm,
    )


def _trained(new: Path, recipe: Recipe, source: ChosenHours) -> Generator[str, None, None]:
    with told(new):
        draft = yield from cook(new, recipe, source)
    rate = recipe.promised_per_hour
    lowest = draft.calibration.points[0].false_alarms_per_hour
    if not lowest <= rate <= draft.calibration.points[-1].false_alarms_per_hour:
        raise TooLittleSoundError(
            f"calibration: found {draft.calibration.hours:.1f} hours without calls and gaps, "
            f"which promise {lowest:g} false alarms an hour or more, wanted {rate:g}"
        )
    (new / STATE).unlink(missing_ok=True)
    with told(new):
        model = write_model(new, replace(draft, card={**draft.card, "description": _DESCRIPTION}))
    yield f"candidate {model.id}"


def _now() -> str:
    return iso(datetime.now(UTC))
