"""Events: what is said of them, which are sent, and what people say."""
