"""How well gumiho and its rivals find the unusual; `python -m benchmarks.evaluation --help`."""
