import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jsonschema
import pytest

from acoio.sound import Gap
from daemon.bus.replay import PAGE_MESSAGES, answer
from daemon.bus.wire import (
    KINDS,
    Draft,
    Kind,
    Newest,
    event_draft,
    event_from_json,
    gap_draft,
    heartbeat,
    model_draft,
    numbered,
    schema,
    summary_draft,
    topic,
)
from daemon.progress import Outgoing
from detector.values import Event, event_json, iso

_BEGIN = datetime(2018, 10, 28, 1, 2, 3, 456, tzinfo=UTC)
_EVENT = Event(
    id="0123456789abcdef",
    status="open",
    begin=_BEGIN,
    peak=_BEGIN + timedelta(seconds=1),
    end=_BEGIN + timedelta(seconds=2),
    score=9.5,
    mean_score=7.25,
    threshold=4.0,
    low_hz=80.0,
    high_hz=4000.0,
    peak_hz=300.0,
    level_db=12.0,
    severity="moderate",
    model="ocean-v1-12345678",
    file="2018-10-28--01.00.HYD24BBpk",
    sample=4096,
)


_REVISION = {**event_json(_EVENT), "bout": _EVENT.id}


def _valid(kind: Kind, text: str) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(text, parse_constant=pytest.fail)
    checker = jsonschema.Draft202012Validator(
        schema(kind), format_checker=jsonschema.FormatChecker()
    )
    checker.check_schema(schema(kind))
    checker.validate(message)
    return message


@pytest.mark.parametrize(
    "draft",
    [
        event_draft(_REVISION),
        summary_draft(iso(_BEGIN), iso(_BEGIN), [_REVISION, {**_REVISION, "severity": "major"}]),
        gap_draft(Gap(_BEGIN, _BEGIN, "a clock that goes back 3.000 s")),
        model_draft(iso(_BEGIN), model="m", threshold=1.0, previous=None, by="configuration"),
        model_draft(iso(_BEGIN), model="m", threshold=1.0, previous="l", by="retrain"),
    ],
)
def test_every_numbered_message_is_valid_by_its_schema(draft: Draft) -> None:
    made = numbered(draft, station="aco", epoch="abc", sequence=7, nonce="n")
    message = _valid(draft.kind, made.text)
    assert (message["id"], message["sequence"], message["epoch"]) == ("abc-7", 7, "abc")
    assert (made.topic, made.type) == (f"kilokai.v1.{draft.kind}.aco", message["type"])


@pytest.mark.parametrize("newest", [None, iso(_BEGIN)])
def test_the_heartbeat_is_valid_and_bears_no_number(newest: str | None) -> None:
    text = heartbeat(iso(_BEGIN), station="aco", newest=Newest("abc", 0), scored=newest)
    message = _valid("heartbeat", text)
    assert "sequence" not in message
    assert message["data"]["newest_sequence"] == 0


def test_a_message_with_a_key_too_many_is_not_valid() -> None:
    draft = event_draft({**_REVISION, "secret": 1})
    with pytest.raises(jsonschema.ValidationError, match="secret"):
        _valid("event", numbered(draft, station="aco", epoch="abc", sequence=1, nonce="n").text)


def test_nan_never_leaves_the_daemon() -> None:
    draft = event_draft({**_REVISION, "score": float("nan")})
    with pytest.raises(ValueError, match="JSON"):
        numbered(draft, station="aco", epoch="abc", sequence=1, nonce="n")


def test_an_event_comes_back_from_its_json() -> None:
    assert event_from_json(json.loads(json.dumps(_REVISION))) == _EVENT


def test_a_summary_names_the_loudest_and_counts_every_severity() -> None:
    louder = {**_REVISION, "id": "f" * 16, "score": 99.0, "severity": "minor"}
    data = summary_draft(iso(_BEGIN), iso(_BEGIN), [_REVISION, louder, _REVISION]).data
    assert data["held_back"] == {"minor": 1, "moderate": 2, "major": 0}
    assert (data["loudest"], data["loudest_score"]) == ("f" * 16, 99.0)


def test_each_kind_has_a_topic_and_a_schema() -> None:
    assert topic("event", "aco") == "kilokai.v1.event.aco"
    assert {schema(kind)["$id"] for kind in KINDS} == {f"urn:kilokai:v1:{kind}" for kind in KINDS}


class _Shelf:
    epoch = "abc"

    def __init__(self, sequence: int, oldest: int = 1) -> None:
        self.sequence, self.oldest = sequence, oldest

    def messages(self, since: int, limit: int) -> list[Outgoing]:
        first = max(since + 1, self.oldest)
        return [
            Outgoing(n, "t", "y", json.dumps({"sequence": n}))
            for n in range(first, min(self.sequence, since + limit) + 1)
        ]

    def nonce(self, number: int) -> str | None:
        return None


def _ask(request: object, shelf: _Shelf) -> dict[str, Any]:
    data = request if isinstance(request, bytes) else json.dumps(request).encode()
    return dict(json.loads(answer(data, shelf)))


def test_replay_gives_what_came_after_in_pages() -> None:
    shelf = _Shelf(PAGE_MESSAGES + 5)
    first = _ask({"epoch": "abc", "since": 0}, shelf)
    assert [m["sequence"] for m in first["messages"]] == list(range(1, PAGE_MESSAGES + 1))
    rest = _ask({"epoch": "abc", "since": PAGE_MESSAGES}, shelf)
    assert rest["messages"][-1]["sequence"] == rest["newest"] == PAGE_MESSAGES + 5
    assert _ask({"epoch": None, "since": None}, shelf)["messages"] == []


def test_replay_says_why_it_has_no_answer() -> None:
    shelf = _Shelf(20, oldest=10)
    assert _ask({"epoch": "old", "since": 3}, shelf)["error"] == "epoch_changed"
    assert _ask({"epoch": "abc", "since": 8}, shelf) == {
        "error": "too_old", "epoch": "abc", "oldest": 10, "newest": 20,
    }  # fmt: skip
    assert _ask({"epoch": "abc", "since": 9}, shelf)["messages"][0] == {"sequence": 10}


@pytest.mark.parametrize(
    "request_", [b"", b"\xff", b"[]", b'{"since": -1}', b'{"since": 1.5}', b'{"since": true}',
                 b'{"epoch": 3, "since": 1}', b'{"since": 99999999999999999999}', b"[" * 50_000],
)  # fmt: skip
def test_nonsense_is_answered_with_what_is_wanted(request_: bytes) -> None:
    assert _ask(request_, _Shelf(3))["error"] == "bad_request"
