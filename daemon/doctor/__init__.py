"""What an operator would look at one thing after the other: `kilokai doctor`."""
