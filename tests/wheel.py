"""Builds the wheel, installs it alone and runs the main job with it, outside the checkout.

`python -m tests.wheel`: what is missing from the package shows here and nowhere else.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).parent.parent
DATA = """
import acoio, numpy as np
from acoio import label_page
assert acoio.known_clock_errors().rows
noise = np.random.default_rng(0).integers(-500, 500, 24 * 4096).astype(np.int32)
marks = 1_700_000_000_000_000 + 170_666 * np.arange(24)
assert label_page(acoio.Sound(noise, 24_000.0, marks), "page.html").stat().st_size
"""


def main() -> None:
    """Build, install, simulate, score and describe; raise if any of it fails."""
    with tempfile.TemporaryDirectory(prefix="kilokai-wheel-") as folder:
        kilokai = installed(Path(folder))
        drop = Path(folder, "drop")
        run(kilokai, "simulate", drop, "--minutes", "6", "--seed", "2")
        said = run(kilokai, "score", *sorted(drop.glob("*.HYD*")), "--json")
        scores = json.loads(said)["scores"]
        assert len(scores) > 200, f"scores: found {len(scores)}, wanted over 200"
        assert "Usage" in run(kilokai, "--help")
    print(f"wheel: installed and scored {len(scores)} windows outside the checkout")


def installed(folder: Path) -> Path:
    """Return the command of a fresh environment that has the wheel and this one's libraries."""
    run(sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT)
    home = folder / "venv"
    venv.create(home, with_pip=False)
    site = next(home.glob("lib/python3*/site-packages"))
    wheel = next(folder.glob("*.whl"))
    python = home / "bin" / "python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps", wheel)
    libraries = next(p for p in sys.path if p.endswith("site-packages"))
    (site / "libraries.pth").write_text(f"{libraries}\n")
    run(python, "-c", DATA, cwd=folder)
    where = run(python, "-c", "import acoio, detector, daemon; print(daemon.__file__)")
    assert str(site) in where, f"packages: found {where.strip()}, wanted them in {site}"
    return home / "bin" / "kilokai"


def run(*command: object, cwd: Path | None = None) -> str:
    """Run a command outside the checkout and return what it prints."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd or tempfile.gettempdir(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}: exit code {done.returncode}\n{done.stderr}"
    return done.stdout


if __name__ == "__main__":
    main()
