"""How far the sound has drifted from the calibration, and how many alarms it achieves."""
