"""The rows of the dashboard: the operator's glance first, then what explains it."""

from __future__ import annotations

from typing import Final

from monitoring.panels import Panel, Query, Row, age, hourly, of, quantile, rate

_NEWEST: Final = age(f"{of('kilokai_newest_scored_time_seconds')} > 0")
_ARRIVED: Final = age(
    f"{of('kilokai_newest_arrival_time_seconds')} > 0 or {of('kilokai_start_time_seconds')}"
)
_FIRING: Final = 'ALERTS{alertstate="firing", severity=~"critical|warning", instance=~"$instance|"}'
_EVENTS_TODAY: Final = f"sum(increase({of('kilokai_events_total')}[24h]))"
_RETRAINED: Final = age(f"{of('kilokai_retrain_last_accepted_time_seconds')} > 0")

_GLANCE: Final = Row(
    "Is it well?",
    (
        Panel(
            "Alerts", "How many alerts of severity critical or warning fire.",
            (Query(f"count({_FIRING}) or vector(0)", "alerts"),),
            kind="stat", width=3, height=4, steps=((float("-inf"), "green"), (1, "red")),
            words=((0, "none"),),
        ),
        Panel(
            "Runs", "Whether its metrics can be read.",
            (Query(of("up", 'job="kilokai"'), "runs"),),
            kind="stat", width=3, height=4, steps=((float("-inf"), "red"), (1, "green")),
            words=((0, "no"), (1, "yes")), empty="not scraped",
        ),
        Panel(
            "Newest sound", "How old the newest sound is that was scored.",
            (Query(_NEWEST, "age"),), unit="s",
            kind="stat", width=3, height=4, at_once=False,
            steps=((float("-inf"), "green"), (900, "orange"), (1800, "red")),
        ),
        Panel(
            "Newest file", "How long ago a file of the drop came or grew, or the daemon started.",
            (Query(_ARRIVED, "age"),), unit="s",
            kind="stat", width=3, height=4,
            steps=((float("-inf"), "green"), (600, "orange"), (900, "red")),
        ),
        Panel(
            "Waiting", "How much sound waits to be heard, by the sizes of files.",
            (Query(of("kilokai_backlog_seconds"), "waiting"),), unit="s",
            kind="stat", width=3, height=4,
            steps=((float("-inf"), "green"), (600, "orange"), (1800, "red")),
        ),
        Panel(
            "Events in 24 h", "Events that ended within a day, of every severity.",
            (Query(_EVENTS_TODAY, "events"),), kind="stat", width=3, height=4,
        ),
        Panel(
            "Room for the store", "Free bytes of the store's disk.",
            (Query(of("kilokai_store_free_bytes"), "free"),), unit="bytes",
            kind="stat", width=3, height=4,
            steps=((float("-inf"), "red"), (2e9, "orange"), (5e9, "green")),
        ),
        Panel(
            "Model", "The model that scores.",
            (Query(of("kilokai_model_info"), "{{model}}"),),
            kind="stat", shown="name", width=3, height=4,
        ),
    ),
)  # fmt: skip

_SOUND: Final = Row(
    "Sound",
    (
        Panel(
            "Sound heard and scored", "Seconds of sound per second: 1 is as fast as it comes.",
            (
                Query(rate("kilokai_heard_seconds_total"), "heard"),
                Query(rate("kilokai_scored_seconds_total"), "scored"),
            ),
            unit="none", width=12,
        ),
        Panel(
            "Age of the newest sound", "From its end to now.",
            (Query(_NEWEST, "age"),), unit="s", width=12, at_once=False,
        ),
        Panel(
            "Waiting", "Sound that waits, and how long that will take.",
            (
                Query(of("kilokai_backlog_seconds"), "waits"),
                Query(of("kilokai_backlog_left_seconds"), "will take"),
            ),
            unit="s",
        ),
        Panel(
            "Missing and damaged, within an hour", "Seconds of sound that there are not.",
            (
                Query(hourly("kilokai_gap_seconds_total"), "gaps"),
                Query(hourly("kilokai_damaged_seconds_total"), "damage"),
            ),
            unit="s",
        ),
        Panel(
            "Files within an hour", "Files by what became of them, and those set aside now.",
            (
                Query(hourly("kilokai_files_total"), "{{outcome}}"),
                Query(of("kilokai_set_aside_files"), "set aside now"),
            ),
        ),
    ),
)  # fmt: skip

_EVENTS: Final = Row(
    "Events",
    (
        Panel(
            "Events within an hour", "By severity; held back: over alerts.most_per_hour.",
            (
                Query(hourly("kilokai_events_total"), "{{severity}}"),
                Query(hourly("kilokai_alerts_held_back_total"), "held back"),
            ),
            width=12,
        ),
        Panel(
            "Events an hour, and the promise",
            "Achieved over a day and a week of sound; promised: false alarms of typical sound.",
            (
                Query(of("kilokai_alarms_achieved_per_hour"), "achieved, {{span}}"),
                Query(of("kilokai_alarms_promised_per_hour"), "promised"),
            ),
            width=12,
        ),
        Panel(
            "Score", "The newest score and the threshold, in nats.",
            (
                Query(of("kilokai_last_score"), "score"),
                Query(of("kilokai_threshold"), "threshold"),
            ),
        ),
        Panel(
            "Drift", "Above 1, scores or levels are not those of the calibration; 0: unknown.",
            (
                Query(of("kilokai_drift_score_ratio"), "scores"),
                Query(of("kilokai_drift_level_ratio"), "levels"),
            ),
            steps=((float("-inf"), "green"), (1, "red")),
        ),
        Panel(
            "From the sound to its message", "How late messages of events are sent.",
            (
                Query(quantile(0.5, "kilokai_event_delay_seconds"), "half"),
                Query(quantile(0.9, "kilokai_event_delay_seconds"), "9 of 10"),
            ),
            unit="s", at_once=False, empty="no event lately",
        ),
    ),
)  # fmt: skip

_BUS: Final = Row(
    "Bus",
    (
        Panel(
            "Messages within an hour", "By kind, without the heartbeats.",
            (Query(hourly("kilokai_bus_messages_total", 'kind!="heartbeat"'), "{{kind}}"),),
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
            (Query(hourly("kilokai_bus_refused_total"), "{{reason}}"),),
        ),
    ),
)  # fmt: skip

_WORK: Final = Row(
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

_STORE: Final = Row(
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
            (Query(hourly("kilokai_evidence_total"), "{{kind}} {{outcome}}"),),
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

ROWS: Final = (_GLANCE, _SOUND, _EVENTS, _BUS, _WORK, _STORE)

ANNOTATIONS: Final = (
    Query(
        f"sum by (severity) ({of('kilokai_events_total')} - {of('kilokai_events_total')} offset 1m)"
        " > 0",
        "{{severity}} event",
    ),
    Query(
        f"{of('kilokai_start_time_seconds')} != {of('kilokai_start_time_seconds')} offset 1m",
        "started",
    ),
    Query(
        f"changes({of('kilokai_model_switches_total')}[1m]) > 0",
        "another model",
    ),
)
