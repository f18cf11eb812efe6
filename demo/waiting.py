"""What the demo prints while it starts. Imports nothing that takes time, so that it can begin at once."""

import threading
from time import monotonic

_SECONDS_BETWEEN = 3


def print_elapsed_seconds() -> threading.Event:
    """Prints every few seconds how long the start has taken, until the event is set or the process ends.

    In a thread, because importing and parts of the start hold the event loop.
    """
    print("Loading the bot …", flush=True)
    start, ready = monotonic(), threading.Event()

    def print_until_ready() -> None:
        while not ready.wait(_SECONDS_BETWEEN):
            print(f"  {monotonic() - start:.0f} s", flush=True)

    threading.Thread(target=print_until_ready, daemon=True).start()
    return ready
