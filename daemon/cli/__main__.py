"""`python -m daemon.cli` is `kilokai`."""

from daemon.cli.app import main

main()
