"""The domain: what a sprint is and how its numbers come about. Pure functions over plain values, no I/O."""
