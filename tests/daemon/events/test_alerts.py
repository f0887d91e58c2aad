"""What is sent and what is held back: laws, without a pipeline."""

import itertools
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from daemon.events.alerts import GRACE, hour_of, hours_over, summed_up, weighed
from detector.values import event_json, iso
from tests.daemon.flood import BEGIN, event_of
from tests.detector.sounds import score

_Json = dict[str, Any]
_HOUR = timedelta(hours=1)


class _Book:
    """What was committed, in memory."""

    def __init__(self) -> None:
        self.events: dict[str, _Json] = {}
        self.held_back: dict[str, str] = {}
        self.told: set[str] = set()

    def event(self, event_id: str) -> _Json | None:
        return self.events.get(event_id)

    def events_before(self, begin: str) -> list[_Json]:
        raise AssertionError("bouts are not of concern here")

    def is_held(self, event_id: str) -> bool:
        return event_id in self.held_back

    def sent(self, hour: str) -> int:
        return Counter(map(hour_of, self.events.values()))[hour] - len(self.held(hour))

    def held(self, hour: str) -> list[_Json]:
        return [self.events[name] for name, held_in in self.held_back.items() if held_in == hour]

    def untold(self) -> list[str]:
        return sorted({*self.held_back.values()} - self.told)

    def take(self, events: Sequence[_Json], most: int) -> list[str]:
        """Commit a step, and return which revisions were sent."""
        now = weighed(events, self, most_per_hour=most)
        self.events |= {event["id"]: event for event in events}
        self.held_back |= now.held
        return [f"{event['id']} {event['status']}" for event in now.sent]


def _revisions(numbers: Sequence[int]) -> list[_Json]:
    return [event_json(event_of(n, status)) for n in numbers for status in ("open", "closed")]


_numbers = st.lists(st.integers(0, 9000), unique=True, max_size=60)
_cuts = st.lists(st.integers(0, 120), max_size=6)


@given(_numbers, _cuts, st.integers(0, 12))
def test_in_any_order_and_any_cut_no_hour_has_more_than_its_limit(
    numbers: list[int], cuts: list[int], most: int
) -> None:
    revisions, book = _revisions(numbers), _Book()
    edges = [0, *sorted(min(c, len(revisions)) for c in cuts), len(revisions)]
    sent = [name for a, b in itertools.pairwise(edges) for name in book.take(revisions[a:b], most)]
    assert sent == _Book().take(revisions, most)
    opened = Counter(hour_of(event) for event in book.events.values())
    wanted = {hour: min(count, most) for hour, count in opened.items() if most}
    assert Counter(hour_of(book.events[name[:16]]) for name in sent[::2]) == wanted
    assert [name[17:] for name in sent] == ["open", "closed"] * (len(sent) // 2)


@given(st.integers(1, 200), st.integers(-70, 0), st.lists(st.integers(0, 200), max_size=6))
def test_an_hour_ends_once_however_its_windows_are_cut(
    count: int, late_s: int, cuts: list[int]
) -> None:
    """Each piece is a step; what is summed up is untold no more."""
    end = (_HOUR + GRACE).total_seconds()
    windows = [score(end + late_s + k - 0.3, 0.0) for k in range(count)]
    hour = iso(BEGIN)
    told: list[str] = []
    edges = [0, *sorted(min(c, count) for c in cuts), count]
    for a, b in itertools.pairwise(edges):
        told += hours_over([] if told else [hour], windows[a:b])
    passed = any(window.begin >= BEGIN + _HOUR + GRACE for window in windows)
    assert told == ([hour] if passed else [])


def test_an_hour_is_not_over_while_its_events_may_still_open() -> None:
    end = _HOUR.total_seconds()
    assert hours_over([iso(BEGIN)], [score(end - 1, 0.0), score(end + 1, 0.0)]) == ()


def test_no_sound_ends_no_hour() -> None:
    assert hours_over([iso(BEGIN)], []) == ()


def test_a_summary_tells_of_what_was_committed_and_of_its_own_step_by_the_newest_revision() -> None:
    book = _Book()
    book.take(_revisions([0, 1])[:3], 0)
    step = _revisions([1, 2])[1:]
    now = weighed(step, book, most_per_hour=0)
    (draft,) = summed_up([iso(BEGIN)], book, step, now.held)
    assert sum(draft.data["held_back"].values()) == 3
    assert draft.data["loudest_score"] == event_of(1, "closed").score > event_of(1, "open").score
