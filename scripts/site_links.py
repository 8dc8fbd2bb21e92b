"""Hook of mkdocs: takes the pages at the top of the repository into the site, and makes links right for both places.

The same text is read on GitHub and on the site. A link to a page of the site stays one; a link to any other file of the
repository leads to GitHub; a link to nothing is left to mkdocs, which refuses it.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mkdocs.structure.files import File

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

_ROOT: Final = Path(__file__).parents[1]
_REPOSITORY: Final = "https://github.com/org/registry-config-action"
# Pages that GitHub wants at the top of the repository, and their names on the site.
_TOP_PAGES: Final = {
    "README.md": "index.md",
    "SECURITY.md": "security.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
_LINK: Final = re.compile(r"(\]\()([^)\s#:]+)(#[^)\s]*)?(\))")


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the pages at the top of the repository."""
    for name, page in _TOP_PAGES.items():
        files.append(File.generated(config, page, content=(_ROOT / name).read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001
    """Make each link of a page right for the site."""
    names = {page: name for name, page in _TOP_PAGES.items()}
    source = names.get(page.file.src_uri, f"docs/{page.file.src_uri}")
    return _LINK.sub(lambda link: f"{link[1]}{_on_the_site(link[2], source)}{link[3] or ''}{link[4]}", markdown)


def _on_the_site(target: str, source: str) -> str:
    """Where a link of a file of the repository leads on the site.

    Args:
        target: the link, a relative path.
        source: path of the file in the repository.
    """
    path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
    place = posixpath.dirname(_TOP_PAGES.get(source, source.removeprefix("docs/")))
    if path in _TOP_PAGES:
        return posixpath.relpath(_TOP_PAGES[path], place or ".")
    if path.startswith("docs/"):
        return posixpath.relpath(path.removeprefix("docs/"), place or ".")
    if (_ROOT / path).exists():
        kind = "tree" if (_ROOT / path).is_dir() else "blob"
        return f"{_REPOSITORY}/{kind}/main/{path}"
    return target
