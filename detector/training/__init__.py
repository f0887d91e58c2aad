"""A model out of sound: which hours and calls are learnt from, and the three phases."""
