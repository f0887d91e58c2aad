"""What each key of kilokai.toml is for; what is allowed stands beside its type, in `options`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

MEANINGS: Final[Mapping[str, str]] = {
    "station.name": "The station's name, in the bus's topics and in the ids of events.",
    "station.timezone": "The station's local time, for its evening and its day; all else is UTC.",
    "drop.path": "Where recordings arrive. Nothing there is ever changed.",
    "drop.band": "Which hydrophone's recordings are heard; others are ignored.",
    "drop.watch": "Whether the kernel's hints are asked for between two scans of the drop.",
    "drop.settle_s": "How long a file keeps its size until it counts as complete.",
    "drop.rescan_s": "How often the drop is scanned where nothing hints at a change.",
    "store.path": "Where ledger, scores, evidence and models lie: a disk of this machine.",
    "store.messages_days": "How long messages can be asked for again; the newest 10,000 always.",
    "bus.keys": "The keys of the station and its clients; without them the bus stays local.",
    "bus.credential": "The name of the station's secret key where systemd hands it over.",
    "bus.publish": "Where what happens is published.",
    "bus.replay": "Where what happened can be asked for.",
    "bus.heartbeat_s": "How often the station shows on the bus that it lives.",
    "metrics.listen": "Where Prometheus scrapes; from elsewhere with TLS and a password.",
    "metrics.certificate": "The certificate that the metrics are served with, by TLS.",
    "metrics.key": "The certificate's secret key.",
    "metrics.password": "What whoever scrapes has to know.",
    "metrics.open": "Whether metrics may be read from other machines without any of that.",
    "detector.model": "What scores, unless the store has a current model (`kilokai models`).",
    "detector.false_alarms_per_hour": "The rate that the threshold promises for typical sound.",
    "detector.threads": "Threads that the network computes with.",
    "alerts.most_per_hour": "How many events of an hour are sent one by one; others are summed up.",
    "evidence.clips": "Whether each event gets a clip to hear.",
    "evidence.pictures": "Whether each event gets a picture to see.",
    "evidence.context_s": "How much sound before and after an event its clip and picture have.",
    "evidence.keep_days": "Clips and pictures that are older than the newest by more are removed.",
    "evidence.keep_gb": "How much room clips and pictures take together; the oldest are removed.",
    "retrain.archive": "What recordings `kilokai retrain` chooses from; else those of the drop.",
    "retrain.since": "From which local day on the hydrophone and its gain are as they are now.",
    "retrain.evening": "The station's hours that count as typical.",
    "retrain.months": "The months in which few whales sing, of which typical hours are chosen.",
    "retrain.days": "How far back typical hours are looked for.",
    "retrain.hours": "How much typical sound a candidate learns from.",
    "retrain.calibration_hours": "How much other typical sound its threshold is set by.",
    "retrain.reference_days": "How many of the newest days it is judged by, beside the champion.",
    "retrain.start": "Whether a candidate goes on from the champion's weights.",
    "retrain.threads": "Threads that the retraining computes with.",
    "evidence.min_free_gb": "How much of the store's disk stays free: pictures go, then clips.",
}
