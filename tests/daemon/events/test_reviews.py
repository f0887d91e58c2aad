import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from structlog.testing import capture_logs

from acoio.errors import DataError
from daemon.bus.wire import Draft, schema
from daemon.events.find import listed, stored_verdicts
from daemon.events.reviews import FILE, LONGEST_TEXT, REQUEST, Reviews, Verdict, verdict_of
from daemon.events.revise import number
from daemon.ledger.ledger import Ledger, open_ledger
from daemon.ledger.stored import stored_events
from daemon.progress import Outgoing, Step
from daemon.service.requests import Requests, submit

_AT = "2026-11-22T19:00:00.000000Z"
_VERDICT = Verdict("confirmed", _AT, "humpback", "clear, 3 units", "kea")


@dataclass
class _Desk:
    """Reviews on a ledger, and what was sent."""

    store: Path
    ledger: Ledger
    sent: list[Outgoing] = field(default_factory=list)

    def reviews(self) -> Reviews:
        return Reviews(self.store, self.ledger, self.keep)

    def keep(self, step: Step, drafts: Sequence[Draft]) -> None:
        here = self.ledger
        outgoing = number(drafts, station="aco", epoch=here.epoch, after=here.sequence, nonce="n")
        here.commit(replace(step, outgoing=outgoing), "m")
        self.sent += outgoing


@contextmanager
def _desk(store: Path) -> Iterator[_Desk]:
    with open_ledger(store) as ledger:
        yield _Desk(store, ledger)


def _request(event: dict[str, Any], verdict: Verdict = _VERDICT) -> dict[str, str]:
    return {"id": event["id"], **verdict.as_json()}


def test_a_verdict_is_told_as_a_third_message_of_the_same_id(store: Path) -> None:
    event = stored_events(store)[0]
    with _desk(store) as desk:
        submit(store, REQUEST, _request(event))
        Requests(store, {REQUEST: desk.reviews()}).do(0.0)
        (message,) = (json.loads(outgoing.text) for outgoing in desk.sent)
        jsonschema.Draft202012Validator(schema("event")).validate(message)
        told = {**event, "status": "reviewed", "verdict": _VERDICT.as_json()}
        assert message["data"] == told
        assert desk.ledger.messages(message["sequence"] - 1, 9) == desk.sent
        assert desk.ledger.event(event["id"]) == event
    assert listed(store)[0] == told


def test_the_same_verdict_twice_is_one_and_of_several_the_newest_counts(store: Path) -> None:
    event = stored_events(store)[0]
    second = Verdict("rejected", "2026-11-22T20:00:00.000000Z", who="nai")
    with _desk(store) as desk:
        review = desk.reviews()
        for verdict in (second, _VERDICT, second, _VERDICT):
            review(_request(event, verdict))
        assert len(desk.sent) == 2
    assert stored_verdicts(store, event["id"]) == [_VERDICT.as_json(), second.as_json()]
    assert listed(store)[0]["verdict"] == second.as_json()


def test_verdicts_outlive_the_ledger_and_a_crash_before_they_are_in_the_file(store: Path) -> None:
    event = stored_events(store)[0]
    with _desk(store) as desk:
        review = desk.reviews()
        review(_request(event))
        kept = (store / FILE).read_bytes()
        (store / FILE).unlink()  # as if it had ended between the two, and the request was left
        review(_request(event))
        assert (store / FILE).read_bytes() == kept
        assert len(desk.sent) == 1
        with desk.ledger.transaction() as database:
            database.execute("DELETE FROM verdicts")
    with _desk(store) as desk:
        desk.reviews()
    assert stored_verdicts(store, event["id"]) == [_VERDICT.as_json()]
    assert listed(store)[0]["status"] == "reviewed"


def test_a_verdict_on_nothing_or_on_what_goes_on_is_refused(store: Path) -> None:
    event = stored_events(store)[0]
    with _desk(store) as desk:
        review = desk.reviews()
        with pytest.raises(DataError, match="'0000000000000000', wanted that of an event"):
            review(_request({"id": "0" * 16}))
        with desk.ledger.transaction() as database:
            row = event["id"], event["begin"], json.dumps({**event, "status": "open"})
            database.execute("INSERT OR REPLACE INTO events VALUES (?, ?, 'open', ?)", row)
        with pytest.raises(DataError, match="has ended"):
            review(_request(event))
        assert desk.sent == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": 7},
        {"id": "\ud800"},
        {"at": "2026-13-22T19:00:00.000000Z"},
        {"verdict": "maybe"},
        {"at": "yesterday"},
        {"at": None},
        {"note": "two\nlines"},
        {"note": "\x1b[2J"},
        {"who": "x" * (LONGEST_TEXT + 1)},
        {"call_type": ["humpback"]},
        {"mood": "good"},
        {"path": "../../x"},
    ],
)
def test_a_request_that_is_no_verdict_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(DataError):
        verdict_of({"id": "0" * 16, **_VERDICT.as_json(), **wrong})


@pytest.mark.parametrize(
    "bad",
    [
        b'{"id": "0670722661ec4eea", "verdict": "confir',
        b"\xff\xfe\n",
        b"\n",
        b"3\n",
        b"[[]]\n",
        b'{"id": "0", "verdict": "rejected", "at": "2026-13-22T19:00:00.000000Z"}\n',
    ],
)
def test_a_line_that_is_no_verdict_is_told_and_kept_and_the_others_count(
    store: Path, bad: bytes
) -> None:
    first, second = stored_events(store)[:2]
    good = json.dumps(_request(first)).encode() + b"\n"
    (store / FILE).write_bytes(good + bad)
    with _desk(store) as desk:
        with capture_logs() as logs:
            review = desk.reviews()
        assert [(log["event"], log["line"]) for log in logs] == [("verdict skipped", 2)]
        review(_request(second))
    added = json.dumps(_request(second)).encode() + b"\n"
    assert (store / FILE).read_bytes() == good + bad.removesuffix(b"\n") + b"\n" + added
    assert stored_verdicts(store, first["id"])
    assert stored_verdicts(store, second["id"])


def test_a_verdict_without_a_part_is_refused() -> None:
    with pytest.raises(DataError, match="verdict"):
        verdict_of({"id": "0" * 16, "at": _AT})


def test_a_reviewed_message_without_a_verdict_is_not_valid(store: Path) -> None:
    event = stored_events(store)[0]
    with _desk(store) as desk:
        desk.keep(Step(0), [Draft("event", _AT, {**event, "status": "reviewed"})])
        with pytest.raises(jsonschema.ValidationError, match="verdict"):
            jsonschema.Draft202012Validator(schema("event")).validate(json.loads(desk.sent[0].text))
