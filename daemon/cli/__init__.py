"""The command `kilokai`."""

from daemon.cli.app import app, main

__all__ = ["app", "main"]
