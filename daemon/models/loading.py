"""The model that scores: the champion of the registry, or what it falls back to."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from acoio.errors import AcoError, NotReadyError, SetupError, passes
from daemon.config import Config
from daemon.errors import plain
from daemon.models.chosen import station_rate_hz
from daemon.models.golden import load_registered
from daemon.models.link import CURRENT
from daemon.models.registry import Registry
from detector.errors import ModelError, Reason
from detector.scoring.score import Scorer

UNFIT: Final = (
    AcoError, ArithmeticError, AttributeError, LookupError, MemoryError, OSError,
    RuntimeError, TypeError, ValueError,
)  # fmt: skip
"""What loading a model that is none may raise: no file in the registry stops the daemon."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A model (None: `detector.model`) or link (`current`) that must not score, and why."""

    model: str | None
    reason: Reason
    message: str
    passing: bool = False  # the world was at fault, not the model: it is worth another try

    @classmethod
    def of(cls, model: str | None, error: ModelError) -> Refusal:
        """Return that of a model that did not load."""
        return cls(model, error.reason, plain(str(error)), _is_passing(error))

    @classmethod
    def of_link(cls, error: AcoError) -> Refusal:
        """Return that of a link to the champion that names none."""
        return cls(CURRENT, "other", plain(str(error)), _is_passing(error))


def _is_passing(error: BaseException) -> bool:
    """Return whether an error came of one of the system that may be gone at the next try."""
    cause = error.__cause__
    if isinstance(cause, OSError):
        return passes(cause.errno)
    return isinstance(cause, MemoryError) or (cause is not None and _is_passing(cause))


@dataclass(frozen=True, slots=True)
class First:
    """What scores at a start: of the model `wanted`, and what was refused before it."""

    scorer: Scorer
    model: str | None
    refused: tuple[Refusal, ...]

    def why(self, registry: Registry) -> tuple[str, str]:
        """Return who chose it and why, as the bus says it."""
        if self.refused:
            return "fallback", self.refused[0].message
        return ("configuration", "") if self.model is None else registry.why(self.model)


class Loading:
    """Loads models of a registry, or `detector.model`, verified, for one station."""

    def __init__(
        self, config: Config, registry: Registry, configured: Callable[[], Scorer]
    ) -> None:
        self.registry = registry
        self._per_hour = config.detector.false_alarms_per_hour
        self._configured = configured
        self.rate_hz = station_rate_hz(config)

    def first(self) -> First:
        """Return what scores at a start: the champion, the one before it, …, `detector.model`.

        Raises
        ------
        SetupError
            With every reason, if none can be loaded.
        NotReadyError
            The same, if one of them may be read at the next try.
        """
        refused: list[Refusal] = []
        for model in self._line(refused):
            try:
                scorer = self.load(model)
            except ModelError as error:
                refused.append(Refusal.of(model, error))
                continue
            self.rate_hz = scorer.features.rate_hz
            return First(scorer, model, tuple(refused))
        passing = any(refusal.passing for refusal in refused)
        kind = NotReadyError if passing else SetupError
        raise kind("\n".join(refusal.message for refusal in refused))

    def former(self, model: str) -> Scorer | None:
        """Return the scorer of the model that scored before, by its id, if it is still here."""
        for place in (model, None):
            with suppress(ModelError):
                scorer = self.load(place)
                if scorer.model == model:
                    return scorer
        return None

    def load(self, model: str | None) -> Scorer:
        """Return the scorer of a model of the registry, or of `detector.model`.

        Raises
        ------
        ModelError
            If it must not score here.
        """
        try:
            scorer = self._configured() if model is None else self._registered(model)
        except ModelError:
            raise
        except UNFIT as error:
            raise ModelError(str(error) or repr(error), reason="other") from error
        if self.rate_hz is not None and scorer.features.rate_hz != self.rate_hz:
            message = (
                f"{scorer.model}: found a model for {scorer.features.rate_hz:g} Hz, wanted "
                f"{self.rate_hz:g} Hz"
            )
            raise ModelError(message, reason="rate")
        return scorer

    def _registered(self, model: str) -> Scorer:
        folder = self.registry.folder(model)
        return load_registered(folder, false_alarms_per_hour=self._per_hour)

    def _line(self, refused: list[Refusal]) -> list[str | None]:
        """Return the models to try, each once, and refuse a link that is none."""
        try:
            self.registry.current()
            line = self.registry.champions()[::-1]
        except AcoError as error:
            refused.append(Refusal.of_link(error))
            line = [switch.model for switch in reversed(self.registry.noted())]
        return list(dict.fromkeys([*line, None]))
