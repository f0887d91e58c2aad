"""The drop: what arrives there, what is new, growing or done, and which file is which."""
