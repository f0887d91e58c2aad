"""The station under systemd: its units and its installation, and all of it booted for real."""
