"""The fast faults of the catalogue, each followed by the oracle."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.bench import Bench
from tests.faults.needs import missing
from tests.faults.registry import ELSEWHERE, FAULTS, Fault

_FAST = [fault for fault in FAULTS if fault.fast]


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with Bench() as shared:
        yield shared


@pytest.mark.parametrize("fault", _FAST, ids=lambda fault: fault.slug)
def test_after(fault: Fault, bench: Bench) -> None:
    if reason := missing(fault.needs):
        pytest.skip(reason)
    bench.run(fault)


def test_the_catalogue_is_whole() -> None:
    assert {fault.number for fault in FAULTS} | ELSEWHERE.keys() == set(range(1, 67))
    slugs = [fault.slug for fault in FAULTS]
    assert len(slugs) == len(set(slugs))
