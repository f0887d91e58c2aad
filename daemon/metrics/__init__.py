"""What Prometheus scrapes: each metric in the file of what it tells of."""

from daemon.metrics.every import Metrics
from daemon.metrics.serving import serve_metrics

__all__ = ["Metrics", "serve_metrics"]
