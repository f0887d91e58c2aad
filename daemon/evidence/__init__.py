"""Evidence of events: clips, pictures, days of scores, and what goes when room is short."""
