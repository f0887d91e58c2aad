"""What every baseline is, and what all of them ask of windows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Final, Literal, Protocol, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from acoio.errors import DataError

Windows: TypeAlias = NDArray[np.float32]
Floats: TypeAlias = NDArray[np.float64]
Input: TypeAlias = Literal["excess_db", "normalised"]
"""What a baseline reads: dB above each band's recent past, or the network's input."""

_CHUNK: Final = 1024  # windows scored at a time: 10 MB of 96 bands and 24 spectra


class Fitted(Protocol):
    """A baseline that knows typical sound."""

    def score(self, x: Windows) -> Floats:
        """Return how unusual windows are, (n, F, T) → (n,), higher is more unusual."""
        ...


class Baseline(Protocol):
    """A way to score windows, with one choice of settings (a frozen dataclass)."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def name(self) -> str:
        """Its family: the same for all settings."""
        ...

    @property
    def reads(self) -> Input:
        """What must be given to `fit` and `score`."""
        ...

    def fit(self, typical: Windows, *, seed: int) -> Fitted:
        """Return the baseline fitted to typical windows, (n, F, T)."""
        ...

    @classmethod
    def variants(cls) -> tuple[Self, ...]:
        """Return the settings worth a trial."""
        ...


class Unfitted:
    """A baseline with nothing to learn: its formula is the same for any typical sound."""

    def fit(self, typical: Windows, *, seed: int) -> Self:
        """Return itself, once the windows have been checked."""
        del seed
        check_windows(typical)
        return self

    def score(self, x: Windows) -> Floats:
        """Return how unusual windows are, (n, F, T) → (n,)."""
        check_windows(x)
        return in_chunks(self._score, x)

    def _score(self, x: Windows) -> Floats:
        raise NotImplementedError


def check_windows(x: Windows, shape: tuple[int, ...] | None = None) -> None:
    """Raise `DataError` unless windows are finite (n, F, T), each (F, T) of this shape."""
    wanted = "(n, F, T)" if shape is None else f"(n, {', '.join(map(str, shape))})"
    if x.ndim != 3 or 0 in x.shape[1:] or (shape is not None and x.shape[1:] != shape):
        raise DataError(f"windows: found {x.shape}, wanted {wanted}")
    for first in range(0, len(x), _CHUNK):
        finite = np.isfinite(x[first : first + _CHUNK]).all(axis=(1, 2))
        if not finite.all():
            k = first + int(np.argmin(finite))
            raise DataError(f"windows: found a value that is not finite in {k}, wanted none")


def in_chunks(score: Callable[[Windows], Floats], x: Windows) -> Floats:
    """Return the scores of windows, (n, F, T) → (n,), a bounded piece at a time."""
    pieces = [score(x[first : first + _CHUNK]) for first in range(0, len(x), _CHUNK)]
    return np.concatenate([np.empty(0), *pieces])


def some(typical: Windows, most: int, *, seed: int) -> Windows:
    """Return at most so many of the windows, drawn without order lost, (n, F, T)."""
    if len(typical) <= most:
        return typical
    chosen = np.random.default_rng(seed).choice(len(typical), most, replace=False)
    return typical[np.sort(chosen)]
