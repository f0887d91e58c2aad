"""How well gumiho and its baselines find the unusual; `python -m benchmarks.evaluation --help`."""
