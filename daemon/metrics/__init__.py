"""What Prometheus scrapes: each metric in the file of what it tells of."""

from daemon.metrics.every import Metrics
from daemon.metrics.serving import Served, serve_metrics

__all__ = ["Metrics", "Served", "serve_metrics"]
