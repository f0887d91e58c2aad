"""Everything public comes from `acoio` itself, and importing it is quick."""

from __future__ import annotations

import subprocess
import sys

import pytest

import acoio


@pytest.mark.parametrize("name", acoio.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(acoio, name) is not None
    assert name in dir(acoio)


def test_a_name_that_is_not_there_is_told() -> None:
    with pytest.raises(AttributeError, match="'acoio' has no attribute 'labelled'"):
        _ = acoio.labelled


def test_importing_leaves_the_heavy_libraries_to_who_needs_them() -> None:
    heavy = {"scipy.signal", "scipy.stats", "scipy.ndimage", "matplotlib", "IPython"}
    code = f"import sys, acoio; print(*{heavy} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert found.stdout.split() == []
