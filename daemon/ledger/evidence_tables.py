"""The tables beside the ledger's own: evidence, verdicts, and days of scores.

Triggers note what remains to be made in the same transaction as what it is made of,
so that no crash between the two loses any.
"""

from __future__ import annotations

from typing import Final

US_A_DAY: Final = 86_400_000_000

TABLES: Final = f"""
CREATE TABLE IF NOT EXISTS evidence (
    event_id TEXT, kind TEXT, begin TEXT, state TEXT NOT NULL DEFAULT 'pending',
    tries INTEGER NOT NULL DEFAULT 0, size_bytes INTEGER, made_s REAL, reason TEXT,
    PRIMARY KEY (event_id, kind)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS evidence_pending ON evidence (tries, begin) WHERE state = 'pending';
CREATE TRIGGER IF NOT EXISTS evidence_wanted AFTER INSERT ON events WHEN NEW.status = 'closed'
BEGIN
    INSERT OR REPLACE INTO evidence (event_id, kind, begin)
        VALUES (NEW.id, 'clip', NEW.begin), (NEW.id, 'picture', NEW.begin);
END;
CREATE TABLE IF NOT EXISTS verdicts (
    event_id TEXT, at TEXT, json TEXT NOT NULL, PRIMARY KEY (event_id, at, json)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS score_days (
    day INTEGER PRIMARY KEY, stale INTEGER NOT NULL);
CREATE TRIGGER IF NOT EXISTS score_day_stale AFTER INSERT ON scores
WHEN NOT EXISTS (
    SELECT 1 FROM score_days WHERE day = NEW.begin_us / {US_A_DAY} AND stale)
BEGIN
    INSERT OR REPLACE INTO score_days VALUES (NEW.begin_us / {US_A_DAY}, 1);
END;
"""
"""`evidence.state`: pending, made, gone (the sound is), failed, or removed.
`score_days`: days since 1970 that have scores, stale where the file of the day lacks some."""
