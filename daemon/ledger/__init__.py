"""The ledger: one transaction a step, opened whatever became of it, and looked into by others."""
