"""The rows of the dashboard: the operator's glance first, then what explains it."""

from __future__ import annotations

from typing import Final

from monitoring.panels import Panel, Query, Row, age, hourly, of, quantile, rate
from monitoring.work_rows import BUS, STORE, WORK

_NEWEST: Final = age(f"{of('kilokai_newest_scored_time_seconds')} > 0")
_ARRIVED: Final = age(
    f"{of('kilokai_newest_arrival_time_seconds')} > 0 or {of('kilokai_start_time_seconds')}"
)
_FIRING: Final = 'ALERTS{alertstate="firing", severity=~"critical|warning", instance=~"$instance|"}'
_FIRED: Final = 'ALERTS{alertstate="firing", severity!="none", instance=~"$instance|"}'
_EVENTS_TODAY: Final = f"round(sum(increase({of('kilokai_events_total')}[24h])))"

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
        Panel(
            "Alerts that fired", "Each by its name; what to do about it: docs/alerts.md.",
            (Query(f"count by (alertname) ({_FIRED})", "{{alertname}}"),),
            width=24, height=4, at_once=False, empty="none fired",
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
            steps=((float("-inf"), "green"), (900, "orange"), (1800, "red")),
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
                Query(f"{hourly('kilokai_files_total')} > 0", "{{outcome}}"),
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
                Query(f"{of('kilokai_alarms_achieved_per_hour')} > 0", "achieved, {{span}}"),
                Query(of("kilokai_alarms_promised_per_hour"), "promised"),
            ),
            width=12,
        ),
        Panel(
            "Scores less the threshold", "In nats; above 0 an event begins.",
            (
                Query(quantile(0.5, "kilokai_score_above_threshold_nats"), "half"),
                Query(quantile(0.99, "kilokai_score_above_threshold_nats"), "99 of 100"),
            ),
            at_once=False, steps=((float("-inf"), "green"), (0, "orange")), signed=True,
        ),
        Panel(
            "Drift", "Above 1, scores or levels are not those of the calibration.",
            (
                Query(f"{of('kilokai_drift_score_ratio')} > 0", "scores"),
                Query(f"{of('kilokai_drift_level_ratio')} > 0", "levels"),
            ),
            at_once=False, empty="too little sound yet",
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

ROWS: Final = (_GLANCE, _SOUND, _EVENTS, BUS, WORK, STORE)

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
