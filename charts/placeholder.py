"""The picture that stands in for a chart that could not be drawn."""

from pathlib import Path

# A stored file, because what kept the chart from being drawn may keep any other picture from it.
# tests/charts/test_placeholder.py draws the file.
PLACEHOLDER_FILE = Path(__file__).with_suffix(".png")


def load_placeholder() -> bytes:
    """Load the picture as PNG. It says that the chart could not be drawn."""
    return PLACEHOLDER_FILE.read_bytes()
