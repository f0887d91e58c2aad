"""Whether all is well, for systemd, for an operator and for programs."""
