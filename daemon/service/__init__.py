"""The service: what it is made of, its one loop, and what is asked of it."""
