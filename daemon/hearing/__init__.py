"""From a piece of a file to scores and events that are kept and said."""
