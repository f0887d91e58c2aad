"""The pages hold together."""

import re
from pathlib import Path

import pytest

from tests.docs.snippets import DOCS

_ROOT = DOCS.parent
_LINK = re.compile(r"\]\((?!https?://|#)([^)#\s]+)")
_PAGES = sorted([*DOCS.glob("**/*.md"), *_ROOT.glob("*.md")])


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: str(page.relative_to(_ROOT)))
def test_each_link_leads_somewhere(page: Path) -> None:
    for link in _LINK.findall(page.read_text("utf-8")):
        assert (page.parent / link).exists(), f"{page.name} links to {link}"


def test_the_index_leads_to_every_page() -> None:
    listed = set(_LINK.findall((DOCS / "README.md").read_text("utf-8")))
    assert {page.name for page in DOCS.glob("*.md")} - {"README.md"} <= listed
