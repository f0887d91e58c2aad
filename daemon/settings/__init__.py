"""What the keys of the configuration mean: example, schema, lines, conflicts, what is live."""
