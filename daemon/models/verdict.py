"""What was decided of a candidate, and why."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from acoio.errors import DataError

FILE: Final = "verdict.json"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a model may score, why, and by which figures (plain JSON values).

    `champion` is the model that it was measured against, "" if none; `decided` the
    time, ISO 8601 in UTC.
    """

    accepted: bool
    reasons: tuple[str, ...] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)
    champion: str = ""
    decided: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return plain values, as `from_json` reads them."""
        return {**asdict(self), "reasons": list(self.reasons), "figures": dict(self.figures)}

    @classmethod
    def from_json(cls, values: object) -> Verdict:
        """Return the verdict of plain values.

        Raises
        ------
        DataError
            If they are none.
        """
        if not isinstance(values, dict) or not isinstance(values.get("accepted"), bool):
            raise DataError(f"verdict: found {values!r:.80}, wanted an object with `accepted`")
        try:
            found = cls(**{**values, "reasons": tuple(values.get("reasons", ()))})
        except TypeError as error:
            raise DataError(f"verdict: {error}") from error
        texts = (found.champion, found.decided, *found.reasons)
        if not isinstance(found.figures, dict) or not all(isinstance(t, str) for t in texts):
            raise DataError(f"verdict: found {values!r:.80}, wanted texts, and figures by name")
        return found


def verdict_bytes(verdict: Verdict) -> bytes:
    """Return what `verdict.json` holds.

    Raises
    ------
    ValueError
        If a figure is no finite number.
    """
    return (json.dumps(verdict.as_json(), indent=2, allow_nan=False) + "\n").encode()
