"""All faults, by the chapters of the catalogue."""

from tests.faults import arrival, bus, drop_changes, kills, ledgers, odd, process, storage

__all__ = ["arrival", "bus", "drop_changes", "kills", "ledgers", "odd", "process", "storage"]
