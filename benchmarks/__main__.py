"""Run every benchmark, each in a process of its own, and say at the end which could not run."""

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def main() -> int:
    """Return 1 where a benchmark failed."""
    failed = []
    for script in sorted(FOLDER.glob("[!_]*.py")):
        title = script.stem.replace("_", " ").capitalize()
        print(f"\n{title}\n{'=' * len(title)}", flush=True)
        command = [sys.executable, "-m", f"{FOLDER.name}.{script.stem}"]
        if subprocess.run(command, cwd=FOLDER.parent, check=False).returncode:
            failed.append(script.name)
    print(f"\nFailed: {', '.join(failed)}" if failed else "\nAll benchmarks ran.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
