"""The picture that stands in for a chart that could not be drawn."""

from pathlib import Path

from charts.themes import Theme


def find_placeholder_file(theme: Theme) -> Path:
    """Return the path of the stored picture: what kept the chart from being drawn may keep any other from it.

    tests/charts/test_placeholder.py draws the files.
    """
    return Path(__file__).with_name(f"placeholder-{theme}.png")


def load_placeholder(theme: Theme) -> bytes:
    """Load the picture as PNG. It says that the chart could not be drawn."""
    return find_placeholder_file(theme).read_bytes()
