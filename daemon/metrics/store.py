"""What is told of the store: its room, and the evidence in it."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from daemon.evidence.retention import KINDS

EVIDENCE_OUTCOMES: Final = ("made", "failed", "gone", "removed")


class StoreMetrics:
    """Room, the ledger and evidence."""

    def __init__(self, own: CollectorRegistry) -> None:
        self.store_free = Gauge("kilokai_store_free_bytes", "Room left for the store", registry=own)
        self.store_min_free = Gauge(
            "kilokai_store_min_free_bytes",
            "Below so much room evidence is removed (evidence.min_free_gb)",
            registry=own,
        )
        self.store_size = Gauge("kilokai_store_size_bytes", "Size of its disk", registry=own)
        self.ledger_bytes = Gauge("kilokai_ledger_bytes", "Size of the ledger", registry=own)
        self.store_full = Gauge(
            "kilokai_store_full", "1 while work waits for room in the store", registry=own
        )
        self.rebuilt = Counter(
            "kilokai_ledger_rebuilt", "Ledgers begun anew, for damage or loss", registry=own
        )
        self.evidence = Counter(
            "kilokai_evidence", "Evidence by what became of it", ["kind", "outcome"], registry=own
        )
        for kind in KINDS:
            for outcome in EVIDENCE_OUTCOMES:
                self.evidence.labels(kind, outcome)
