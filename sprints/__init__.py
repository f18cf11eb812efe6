"""The domain: sprints and the computation of their numbers. Pure functions over plain values, no I/O."""
