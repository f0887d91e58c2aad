"""Measures any score of windows: the data, the measures, the report and the pictures apart.

`data` and `recorded` make pieces of sound with what is known to sound in them,
`values.scored` keeps of each what a scoring function says, and `measures` tells how
well that tells calls from the rest; `report` and `pictures` show it.
"""

from detector.evaluation.values import Call, Piece, Scored, ScoreWindows, heard, scored, scored_by

__all__ = ["Call", "Piece", "ScoreWindows", "Scored", "heard", "scored", "scored_by"]
