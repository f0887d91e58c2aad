"""Sound → windows: bands, levels above the background, and noise made Gaussian."""
