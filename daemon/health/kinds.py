"""Of what kind each value of a status file is: what is of another one was damaged."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from daemon.options import check_timezone


def _check_text(text: str) -> str:
    text.encode()  # a lone surrogate could not be shown
    return text


def _check_time(text: str) -> str:
    if datetime.fromisoformat(text).tzinfo is None:
        raise ValueError(f"no time with a zone {text!r}")
    return text


_Text = Annotated[str, AfterValidator(_check_text)]
_Time = Annotated[str, AfterValidator(_check_time)]
_Zone = Annotated[str, AfterValidator(check_timezone)]
_Count = Annotated[int, Field(ge=0, lt=1 << 53)]
_Positive = Annotated[float, Field(gt=0)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, allow_inf_nan=False)


class _Backlog(_Strict):
    files: _Count
    seconds: float
    left_s: float | None


class _Dead(_Strict):
    begin: _Time
    end: _Time
    seconds: float
    reason: _Text


class _Why(_Strict):
    name: _Text
    reason: _Text


class _Unreadable(_Strict):
    count: _Count
    first: list[_Why]


class _Ratio(_Strict):
    ratio: float


class _Drift(_Strict):
    score: _Ratio
    level: _Ratio


class _Span(_Strict):
    per_hour: float
    low: float
    high: float


class _Alarms(_Strict):
    promised_per_hour: float
    day: _Span | None = None
    week: _Span | None = None


class _Config(_Strict):
    restart_for: list[_Text]
    faults: list[_Text]


class _Status(_Strict):
    """What others count with or show; a sign of life has what has no default."""

    pid: _Count
    started: _Time
    written: _Time
    heartbeat_s: _Positive
    stopped: _Time | None = None
    finished: bool = False
    station: _Text | None = None
    timezone: _Zone = "UTC"
    drop: _Text | None = None
    metrics: _Text | None = None
    bus: list[_Text] = []
    rate_hz: _Positive | None = None
    store_full: bool = False
    drop_trouble: _Text | None = None
    unreadable: _Unreadable | None = None
    model: _Text | None = None
    threshold: float | None = None
    model_from: _Text | None = None
    model_trouble: _Text | None = None
    bus_trouble: _Text | None = None
    went_on_at: _Time | None = None
    heard_at: _Time | None = None
    newest_scored: _Time | None = None
    context_s: float = 0.0
    unscored_s: float | None = None
    dead_channel: _Dead | None = None
    clock_off: float | None = None
    times_real_time: float | None = None
    pace: float | None = None
    backlog: _Backlog | None = None
    drift: _Drift | None = None
    alarms: _Alarms | None = None
    config: _Config | None = None


_SIGNS: Final = {name for name, field in _Status.model_fields.items() if field.is_required()}


def understood(said: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what is of its kind; without a sign of life, nothing."""
    try:
        _Status.model_validate(said)
    except ValidationError as error:
        wrong = {detail["loc"][0] for detail in error.errors()}
        return {} if wrong & _SIGNS else {key: said[key] for key in said if key not in wrong}
    return said
