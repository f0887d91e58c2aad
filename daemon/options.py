"""The tables of kilokai.toml and their keys: defaults and what is allowed."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

from daemon.endpoints import check_endpoint, check_listen

_STRICT: Final = ConfigDict(
    frozen=True, extra="forbid", allow_inf_nan=False, coerce_numbers_to_str=True
)


def check_timezone(name: str) -> str:
    """Return a name of the IANA time zone database, or raise `ValueError`."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # what zoneinfo raises for a bad key
        raise ValueError(f"no time zone {name!r}") from error
    return name


def check_day(found: Any) -> date:
    """Return a day as TOML or ISO 8601 writes it, or raise `ValueError`."""
    if isinstance(found, str):
        return date.fromisoformat(found)
    if not isinstance(found, date) or isinstance(found, datetime):
        raise ValueError(f"no day {found!r}")
    return found


def check_evening(hours: tuple[int, int]) -> tuple[int, int]:
    """Return a first and a last hour between which there are some, or raise `ValueError`."""
    if hours != (0, 24) and hours[0] % 24 == hours[1] % 24:
        raise ValueError(f"no hour between {hours[0]} and {hours[1]}")
    return hours


_Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+$", max_length=32)]
_Credential = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]+$", max_length=64)]
_Hour = Annotated[int, Field(ge=0, le=24, strict=True)]
_Month = Annotated[int, Field(ge=1, le=12, strict=True)]
_Zone = Annotated[str, AfterValidator(check_timezone)]
_Evening = Annotated[tuple[_Hour, _Hour], AfterValidator(check_evening)]
_Day = Annotated[date, BeforeValidator(check_day)]
_Listen = Annotated[str, AfterValidator(check_listen)]
_LOCAL = "tcp://127.0.0.1:PORT or ipc://PATH, or with bus.keys (`kilokai keys server`) any TCP"


class Station(BaseModel):
    """Whose sound it is."""

    model_config = _STRICT
    name: _Name = Field(default="aco", description="1 to 32 of a-z, 0-9 and -")
    timezone: _Zone = Field(default="Pacific/Honolulu", description="an IANA time zone")


class Drop(BaseModel):
    """Where files arrive."""

    model_config = _STRICT
    path: Path = Field(description="the folder that files arrive in", examples=["/data/incoming"])
    band: Literal["BB", "HF"] = Field(default="BB", description="BB or HF, the hydrophone")
    watch: Literal["inotify", "scan"] = Field(
        default="inotify", description="inotify, or scan on a network drive"
    )
    settle_s: float = Field(
        default=30.0, gt=0, le=3600, strict=True, description="seconds, above 0, at most 3600"
    )
    rescan_s: float = Field(
        default=10.0, ge=0.1, le=3600, strict=True, description="seconds, 0.1 to 3600"
    )


class Store(BaseModel):
    """Where the ledger lies."""

    model_config = _STRICT
    path: Path = Field(default=Path("/var/lib/kilokai"), description="a folder of the daemon's own")
    messages_days: float = Field(
        default=30.0, gt=0, le=36500, strict=True, description="days, above 0, at most 36500"
    )


class Bus(BaseModel):
    """Where messages leave."""

    model_config = _STRICT
    keys: Path | None = Field(
        default=None,
        description="a folder that `kilokai keys server` made",
        examples=["/etc/kilokai/keys"],
    )
    credential: _Credential | None = Field(
        default=None,
        description="the systemd credential that holds server.secret",
        examples=["bus_server.secret"],
    )
    publish: str = Field(default="tcp://127.0.0.1:5556", description=_LOCAL)
    replay: str = Field(default="tcp://127.0.0.1:5557", description=_LOCAL)
    heartbeat_s: float = Field(
        default=5.0, ge=0.1, le=60, strict=True, description="seconds, 0.1 to 60"
    )

    @field_validator("publish", "replay")
    @classmethod
    def _guarded(cls, endpoint: str, info: ValidationInfo) -> str:
        return check_endpoint(endpoint, guarded=info.data.get("keys") is not None)


class Metrics(BaseModel):
    """Where Prometheus scrapes."""

    model_config = _STRICT
    listen: _Listen = Field(default="127.0.0.1:9108", description="HOST:PORT")
    certificate: Path | None = Field(
        default=None, description="a PEM file, and metrics.key", examples=["/etc/kilokai/tls.crt"]
    )
    key: Path | None = Field(
        default=None,
        description="a PEM file without a passphrase",
        examples=["/etc/kilokai/tls.key"],
    )
    password: Path | None = Field(
        default=None,
        description="a file with the password in a line",
        examples=["/etc/kilokai/metrics.password"],
    )
    open: bool = Field(
        default=False, strict=True, description="true or false: anybody may read from anywhere"
    )


class Detector(BaseModel):
    """What scores."""

    model_config = _STRICT
    model: str = Field(default="ocean-v1", min_length=1, description="a model's name or its path")
    false_alarms_per_hour: float = Field(
        default=1.0, gt=0, le=3600, strict=True, description="a rate above 0, at most 3600"
    )
    threads: int = Field(default=1, ge=1, le=256, strict=True, description="1 to 256 threads")


class Alerts(BaseModel):
    """What is sent of what is found."""

    model_config = _STRICT
    most_per_hour: int = Field(
        default=60, ge=0, le=3600, strict=True, description="0 to 3600 events an hour of sound"
    )


class Evidence(BaseModel):
    """What is kept of each event, and for how long; events themselves are kept for ever."""

    model_config = _STRICT
    clips: bool = Field(default=True, strict=True, description="true or false")
    pictures: bool = Field(default=True, strict=True, description="true or false")
    context_s: float = Field(
        default=5.0, ge=0, le=60, strict=True, description="seconds before and after, 0 to 60"
    )
    keep_days: float = Field(
        default=365.0, gt=0, le=36_500, strict=True, description="days, above 0, at most 36500"
    )
    keep_gb: float = Field(
        default=20.0, gt=0, le=1e6, strict=True, description="10^9 bytes, above 0, at most 10^6"
    )
    min_free_gb: float = Field(
        default=1.0, ge=0, le=1e6, strict=True, description="10^9 bytes, 0 to 10^6"
    )


class Retrain(BaseModel):
    """What `kilokai retrain` learns from, and by which sound it is judged."""

    model_config = _STRICT
    archive: Path | None = Field(
        default=None, description="a folder of recordings", examples=["/data/archive"]
    )
    since: _Day | None = Field(
        default=None, description="a day as YYYY-MM-DD", examples=["2026-05-01"]
    )
    evening: _Evening = Field(
        default=(18, 24),
        description="[FIRST, LAST], two hours of station.timezone from 0 to 24; [0, 24] is all day",
    )
    months: tuple[_Month, ...] = Field(
        default=(5, 6, 7, 8, 9, 10, 11), min_length=1, description="quiet months, some of 1 to 12"
    )
    days: int = Field(default=30, ge=1, le=3660, strict=True, description="1 to 3660 days")
    hours: float = Field(
        default=24.0, gt=0, le=240, strict=True, description="hours, above 0, at most 240"
    )
    calibration_hours: float = Field(
        default=24.0, gt=0, le=2400, strict=True, description="hours, above 0, at most 2400"
    )
    reference_days: int = Field(default=7, ge=1, le=60, strict=True, description="1 to 60 days")
    start: Literal["champion", "afresh"] = Field(
        default="champion", description="champion, to go on from its weights, or afresh"
    )
    threads: int = Field(default=1, ge=1, le=256, strict=True, description="1 to 256 threads")


class Config(BaseModel):
    """All of kilokai.toml; what is wrong between its keys is said by `settings.between`."""

    model_config = _STRICT
    station: Station = Station()
    drop: Drop = Field(description="a table with path")
    store: Store = Store()
    bus: Bus = Bus()
    metrics: Metrics = Metrics()
    detector: Detector = Detector()
    alerts: Alerts = Alerts()
    evidence: Evidence = Evidence()
    retrain: Retrain = Retrain()
