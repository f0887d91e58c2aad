"""The demonstration: a simulated ocean and a real daemon."""
