"""Rows of the dashboard on what the daemon does and needs: bus, work, store and model."""

from __future__ import annotations

from typing import Final

from monitoring.panels import Panel, Query, Row, age, hourly, of, quantile, rate

_SAID: Final = hourly("kilokai_bus_messages_total", 'kind!="heartbeat"')
_RETRAINED: Final = age(f"{of('kilokai_retrain_last_accepted_time_seconds')} > 0")

BUS: Final = Row(
    "Bus",
    (
        Panel(
            "Messages within an hour", "By kind, without the heartbeats.",
            (Query(f"{_SAID} > 0", "{{kind}}"),), at_once=False, empty="no message lately",
        ),
        Panel(
            "Who listens", "Subscribers, and requests for what was missed within an hour.",
            (
                Query(of("kilokai_bus_subscribers"), "subscribers"),
                Query(hourly("kilokai_replay_requests_total"), "replay requests"),
            ),
        ),
        Panel(
            "Refused within an hour", "Peers that the bus did not let in, by reason.",
            (Query(f"{hourly('kilokai_bus_refused_total')} > 0", "{{reason}}"),),
            at_once=False, empty="nobody",
        ),
    ),
)  # fmt: skip

WORK: Final = Row(
    "Work",
    (
        Panel(
            "Time spent", "Share of the time spent in each stage: near 1 in all it has no reserve.",
            (Query(rate("kilokai_stage_seconds_sum"), "{{stage}}"),),
            unit="percentunit", stacked=True,
        ),
        Panel(
            "How long a stage takes", "99 of 100 are shorter.",
            (Query(quantile(0.99, "kilokai_stage_seconds", "stage"), "{{stage}}"),),
            unit="s", at_once=False, log=True, empty="no work lately",
        ),
        Panel(
            "From a record to its message", "From beginning to read to having sent.",
            (
                Query(quantile(0.5, "kilokai_record_to_message_seconds"), "half"),
                Query(quantile(0.99, "kilokai_record_to_message_seconds"), "99 of 100"),
            ),
            unit="s", at_once=False, empty="no message lately",
        ),
        Panel(
            "Times real time", "Sound heard per time spent on it, since the start.",
            (Query(of("kilokai_times_real_time_ratio"), "times real time"),), unit="none",
        ),
        Panel(
            "Processor", "Cores used.",
            (Query(rate("process_cpu_seconds_total"), "cores"),), unit="none",
        ),
        Panel(
            "Memory", "Resident memory.",
            (Query(of("process_resident_memory_bytes"), "resident"),), unit="bytes",
        ),
    ),
)  # fmt: skip

STORE: Final = Row(
    "Store and model",
    (
        Panel(
            "Store", "Room left, and the ledger.",
            (
                Query(of("kilokai_store_free_bytes"), "free"),
                Query(of("kilokai_ledger_bytes"), "ledger"),
            ),
            unit="bytes", log=True,
        ),
        Panel(
            "Evidence within an hour", "Clips and pictures by what became of them.",
            (Query(f"{hourly('kilokai_evidence_total')} > 0", "{{kind}} {{outcome}}"),),
            at_once=False, empty="none lately",
        ),
        Panel(
            "Last retraining", "How it ended.",
            (Query(f"{of('kilokai_retrain_outcome')} == 1", "{{outcome}}"),),
            kind="stat", shown="name", width=4, at_once=False,
        ),
        Panel(
            "Last accepted", "How long ago a retrained model was accepted.",
            (Query(_RETRAINED, "age"),), unit="s", kind="stat", width=4, at_once=False,
        ),
    ),
)  # fmt: skip
