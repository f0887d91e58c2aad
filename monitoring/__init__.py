"""What a Grafana and a Prometheus need to watch a station."""
