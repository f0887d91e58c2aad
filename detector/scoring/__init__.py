"""Windows → scores → events, by a frozen model."""
