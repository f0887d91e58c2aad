"""Retraining: which hours, what the gate asks, and how it ended."""
