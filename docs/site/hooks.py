"""What the site adds to the pages of this folder: lessons as pages, and files of the project by their names."""

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files
from nbconvert import MarkdownExporter

ROOT = Path(__file__).parents[2]

OUTSIDE = re.compile(r"\[(?P<words>[^\]]+)\]\((?:\.\./)+(?P<path>(?!docs/)[\w./-]+)(?:#[\w-]+)?\)")
"""A link to a file of the project that is no page."""

TO_LESSON = re.compile(r"\]\(\.\./notebooks/(?P<lesson>\w+)\.ipynb\)")
"""A link from a page to a lesson."""

TO_PAGE = re.compile(r"\]\((?:\.\./)+docs/(?P<page>[\w./-]+)")
"""A link from a lesson to a page."""

COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def on_files(files: Files, config: Any) -> Files:
    """Add every lesson as a page, with its figures."""
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        words, resources = MarkdownExporter().from_filename(str(path))
        lesson = f"lessons/{path.stem}.md"
        for name, content in resources["outputs"].items():
            files.append(File.generated(config, f"lessons/{path.stem}_{name}", content=content))
            words = words.replace(f"({name})", f"({path.stem}_{name})")
        words = COLOURS.sub("", TO_PAGE.sub(r"](../\g<page>", words))
        files.append(File.generated(config, lesson, content=re.sub(r"\.ipynb\)", ".md)", words)))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Lead to lessons as pages, and name a file that is no page in place of a link that would lead nowhere."""
    return OUTSIDE.sub(r"\g<words> (`\g<path>`)", TO_LESSON.sub(r"](lessons/\g<lesson>.md)", markdown))
