"""Scored pieces → the windows that count, on calls and in quiet, and their blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from acoio.clock import to_us
from detector.evaluation.values import Call, Scored

_Floats: TypeAlias = NDArray[np.float64]
_Bools: TypeAlias = NDArray[np.bool_]
_Ints: TypeAlias = NDArray[np.int64]

_HALF: Final = 0.5  # of the window, or of the call, must they share for the window to be atypical
_MINUTE_US: Final = 60_000_000
_PIECE: Final = 1 << 40  # between the blocks of two pieces: more than minutes since 1970


@dataclass(frozen=True, eq=False)
class Table:
    """The windows that count, with `call` (n,) the call of each, −1 for typical ones.

    A window that overlaps two calls comes twice.
    """

    scores: _Floats
    blocks: _Ints
    call: _Ints


def table(pieces: Sequence[Scored], calls: Sequence[Call]) -> Table:
    """Return the typical and the atypical windows of pieces, whose calls are `calls`, in order."""
    names = {name: k for k, name in enumerate(sorted({call.block for call in calls}))}
    scores, blocks, of_call = [np.empty(0)], [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    homes: dict[str, int] = {}
    k = 0
    for scored in pieces:
        quiet = _quiet(scored)
        home = homes.setdefault(scored.piece.name, len(homes) + 1)
        scores.append(scored.scores[quiet])
        blocks.append(home * _PIECE + scored.begins_us[quiet] // _MINUTE_US)
        of_call.append(np.full(int(quiet.sum()), -1, np.int64))
        for call in scored.calls():
            inside = _inside(scored, call)
            scores.append(scored.scores[inside])
            blocks.append(np.full(len(inside), names[call.block], np.int64))
            of_call.append(np.full(len(inside), k, np.int64))
            k += 1
    return Table(np.concatenate(scores), np.concatenate(blocks), np.concatenate(of_call))


def _inside(scored: Scored, call: Call) -> NDArray[np.intp]:
    """Return the windows that share enough time with a call to be atypical."""
    begin_us, end_us = to_us(call.truth.begin), to_us(call.truth.end)
    near = scored.over(call.truth.begin, call.truth.end)
    begins, ends = scored.begins_us[near], scored.ends_us[near]
    shared = np.minimum(ends, end_us) - np.maximum(begins, begin_us)
    enough = shared >= _HALF * np.minimum(ends - begins, end_us - begin_us)
    return np.asarray(near.start + np.flatnonzero(enough), np.intp)


def _quiet(scored: Scored) -> _Bools:
    quiet = np.zeros(len(scored.scores), np.bool_)
    for begin, end in scored.piece.quiet:
        quiet |= (scored.begins_us >= to_us(begin)) & (scored.ends_us <= to_us(end))
    for call in scored.piece.calls:
        quiet[scored.over(call.truth.begin, call.truth.end)] = False
    return quiet
