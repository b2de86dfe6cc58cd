"""The first page: what the README says, arranged for a page that is wider and may move."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .links import Links

PLACE = "README.md"
TEMPLATE = Path(__file__).with_name("front.md")


@dataclass(frozen=True)
class Chapter:
    """A notebook in the README's table: its stem, its picture, what a reader can do after it."""

    stem: str
    alt: str
    promise: str


def section(text: str, title: str) -> str:
    """What stands below a heading of the second level, without the heading.

    Raises
    ------
    ValueError
        There is no such heading.
    """
    match = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, flags=re.S | re.M)
    if match is None:
        raise ValueError(f"README.md has no heading '## {title}', which the site's front shows")
    return match[1].strip()


def chapters(readme: str) -> list[Chapter]:
    """The notebooks in the README's table of thumbnails, in its order."""
    picture = r"\[<img src=\"images/thumbnails/(\w+)\.jpg\"[^>]*alt=\"([^\"]*)\">\]\("
    alts = dict(re.findall(picture, readme))
    promises = dict(re.findall(r"<br>\[\w+\]\(notebooks/(\d\w+)\.ipynb\) ([^|]+?) (?=\|)", readme))
    if not alts or alts.keys() != promises.keys():
        different = sorted(alts.keys() ^ promises.keys())
        raise ValueError(f"README.md: no thumbnail and sentence for each notebook: {different}")
    return [Chapter(stem, alt, promises[stem]) for stem, alt in sorted(alts.items())]


def reading_times(notebooks_readme: str) -> dict[str, str]:
    """By notebook, from the table in `notebooks/README.md`."""
    row = r"^\| \[[^\]]*\]\((\w+)\.ipynb\) \| [^|]* \| ([^|]*) \|"
    return dict(re.findall(row, notebooks_readme, flags=re.M))


def doors(readme: str) -> list[tuple[str, str]]:
    """The three doors: a word and what is behind it, in Markdown."""
    table = re.search(r"^\| look \| learn \| make \|\n\|[-|]*\|\n\| (.*) \|$", readme, flags=re.M)
    if table is None:
        raise ValueError("README.md: there is no table 'look | learn | make'")
    return list(zip(("look", "learn", "make"), table[1].split(" | "), strict=True))


def alt_of(readme: str, picture: str) -> str:
    """The text of a picture that the README shows."""
    match = re.search(rf'src="{re.escape(picture)}"[^>]* alt="([^"]*)"', readme)
    if match is None:
        raise ValueError(f"README.md does not show {picture}, which the site's front shows")
    return match[1]


def front(links: Links, contents: str, heights: Mapping[str, int]) -> str:
    """The first page in Markdown.

    `contents` is the table of contents, `heights` those of the pictures beside the film.
    """
    readme = (links.root / PLACE).read_text("utf-8")
    times = reading_times((links.root / "notebooks" / "README.md").read_text("utf-8"))
    introduction = re.search(r"^\*\*Neural style transfer\*\*.*$", readme, flags=re.M)
    if introduction is None:
        raise ValueError("README.md: no paragraph begins with '**Neural style transfer**'")
    commands = re.search(r"<!-- commands -->\n(.*?)<!-- end", section(readme, "Two commands"), re.S)
    if commands is None:
        raise ValueError("README.md: '## Two commands' has no <!-- commands -->")
    parts = {
        "cat_alt": alt_of(readme, "images/content/cat.jpg"),
        "waves_alt": alt_of(readme, "images/style/woodcut_waves.jpg"),
        "run_alt": alt_of(readme, "images/gallery/run.webp"),
        "cat_height": str(heights["cat"]),
        "waves_height": str(heights["woodcut_waves"]),
        "intro": introduction[0],
        "doors": "\n".join(_door(word, text) for word, text in doors(readme)),
        "chapters": "\n".join(_card(chapter, times) for chapter in chapters(readme)),
        "commands": section(readme, "Two commands").split("<!-- commands -->")[0] + commands[1],
        "measured": section(readme, "Measured"),
        "limits": section(readme, "What it cannot do").rpartition("\n\n")[0],
    }
    text = TEMPLATE.read_text("utf-8")
    for name, part in parts.items():
        text = text.replace(f"@@{name}@@", part)
    return links.rewrite(text, PLACE).replace("@@contents@@", contents)


def _door(word: str, text: str) -> str:
    return f'<div class="door">\n<p class="word">{word}</p>\n\n{text}\n\n</div>'


def _card(chapter: Chapter, times: Mapping[str, str]) -> str:
    number = chapter.stem.partition("_")[0]
    return (
        f'<li><a href="notebooks/{chapter.stem}.html">'
        f'<img src="front/thumbnails/{chapter.stem}.jpg" width="240" height="160" loading="lazy" '
        f'alt="{html.escape(html.unescape(chapter.alt))}">'
        f'<span class="words"><span class="number">{number}</span> '
        f"{html.escape(chapter.promise)}</span>"
        f'<span class="badge">{times[chapter.stem]}</span></a></li>'
    )


def contents(parts: Mapping[str, Sequence[str]]) -> str:
    """Sphinx's tables of contents, one a caption, out of sight on the page."""
    return "\n\n".join(
        f"```{{toctree}}\n:hidden:\n:caption: {caption}\n\n" + "\n".join(pages) + "\n```"
        for caption, pages in parts.items()
    )
