"""All faults, by the chapters of the catalogue."""

from tests.faults import arrival, drop_changes, kills, ledgers, odd, storage

__all__ = ["arrival", "drop_changes", "kills", "ledgers", "odd", "storage"]
