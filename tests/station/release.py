"""A release for the machine, as `station.sh software` lays it out, without fetching libraries."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
LIBRARIES: Final = Path("/opt/libraries")
SOURCE: Final = Path("/opt/source")
VERSION: Final = f"python{sys.version_info.major}.{sys.version_info.minor}"
PYTHON: Final = Path("/usr/bin", VERSION)  # one of a home is hidden from the service
_SCRIPT: Final = "from daemon.cli import main\n\nmain()\n"


def binds() -> dict[Path, Path]:
    """Return what the machine needs of this one, which may lie in a home, and where it goes."""
    return {Path(sysconfig.get_path("purelib")): LIBRARIES, ROOT: SOURCE}


def wheel(folder: Path) -> Path:
    """Return the project's wheel, made in a folder."""
    build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


def lay_out(root: Path, release: str) -> None:
    """Put a release of this checkout into a machine that is off."""
    home, place = root / "opt/kilokai" / release, Path("/opt/kilokai", release)
    site = home / "lib" / VERSION / "site-packages"
    (home / "bin").mkdir(parents=True)
    with tempfile.TemporaryDirectory() as folder:
        made = wheel(Path(folder))
        install = ["install", "--quiet", "--no-deps", "--target", str(site), str(made)]
        subprocess.run([sys.executable, "-m", "pip", *install], check=True)
    (site / "libraries.pth").write_text(f"{LIBRARIES}\n")
    (home / "pyvenv.cfg").write_text(f"home = {PYTHON.parent}\n")
    (home / "bin" / "python").symlink_to(PYTHON)
    script = home / "bin" / "kilokai"
    script.write_text(f"#!{place}/bin/python\n{_SCRIPT}")
    script.chmod(0o755)
    (home / ".release").touch()
