"""The bus: messages, their numbers, who may hear them, and what was missed."""
