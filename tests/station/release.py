"""A release for the machine, as `station.sh software` lays it out, without fetching libraries."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
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


def lay_out(root: Path, releases: Sequence[str]) -> None:
    """Put releases of this checkout, which differ by name alone, into a machine that is off."""
    with tempfile.TemporaryDirectory() as folder:
        build = [sys.executable, "-m", "build", "--wheel", "--outdir", folder, str(ROOT)]
        subprocess.run(build, check=True, capture_output=True)
        for release in releases:
            _lay_out(root, release, next(Path(folder).glob("*.whl")))


def _lay_out(root: Path, release: str, wheel: Path) -> None:
    home, place = root / "opt/kilokai" / release, Path("/opt/kilokai", release)
    site = home / "lib" / VERSION / "site-packages"
    (home / "bin").mkdir(parents=True)
    install = ["install", "--quiet", "--no-deps", "--target", str(site), str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", *install], check=True)
    (site / "libraries.pth").write_text(f"{LIBRARIES}\n")
    (home / "pyvenv.cfg").write_text(f"home = {PYTHON.parent}\n")
    (home / "bin" / "python").symlink_to(PYTHON)
    script = home / "bin" / "kilokai"
    script.write_text(f"#!{place}/bin/python\n{_SCRIPT}")
    script.chmod(0o755)
    (home / ".release").touch()
