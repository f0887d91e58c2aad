"""Events: what is said of them, which are sent, and what people say."""

from daemon.ledger.stored import stored_events

__all__ = ["stored_events"]
