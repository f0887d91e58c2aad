"""`python -P -m daemon.cli` is `kilokai`: it imports nothing from the working folder."""

from daemon.cli.app import main

main()
