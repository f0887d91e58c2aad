"""The configuration as people see it: example, schema, effective values, reloading."""
