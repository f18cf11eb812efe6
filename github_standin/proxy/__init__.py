"""Between callers and emulate: who asks, what emulate answers, and planned faults."""
