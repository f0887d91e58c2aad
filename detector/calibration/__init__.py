"""Scores of typical sound → thresholds, and how far other sound is from it."""
