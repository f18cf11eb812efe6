"""The command line as a subprocess."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.support.webhooks import issue_story

ROOT = Path(__file__).parents[2]


def run_cli(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the real command line without any other environment variable."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "bot", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "DATA_DIR": str(folder)} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def write_recording(folder: Path) -> Path:
    """Write a recorded history as JSON lines, newest first. Returns the file."""
    file = folder / "history.jsonl"
    lines = [
        {"event": event, "delivery": f"guid-{number}", "payload": payload}
        for number, (event, payload) in enumerate(issue_story())
    ]
    file.write_text("\n".join(json.dumps(line) for line in lines[::-1]))
    return file
