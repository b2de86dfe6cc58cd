"""Where a link of a text leads once the text is a page of the site."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

# Code is passed over; the text of a link may hold one picture, as a badge does
PARTS = re.compile(
    r"(?P<code>^ *(?P<fence>```+).*?^ *(?P=fence) *$|(?P<tick>`+)[^`]*(?P=tick))"
    r"|(?P<bang>!?)\[(?P<text>(?:[^\[\]]|!?\[[^\[\]]*\](?:\([^)\s]*\))?)*)\]\((?P<target>[^)\s]+)\)",
    flags=re.S | re.M,
)


@dataclass
class Links:
    """Rewrites the links of texts, and remembers which pictures they show.

    Parameters
    ----------
    root: the repository's folder.
    pages: the texts that become pages, and where: {"docs/faq.md": "docs/faq.md", …}, from the root.
    repository, branch: "owner/name" on GitHub, or "" as long as the files are nowhere to be seen.
    """

    root: Path
    pages: Mapping[str, str]
    repository: str = ""
    branch: str = "main"
    pictures: set[str] = field(default_factory=set)

    def rewrite(self, text: str, place: str) -> str:
        """The Markdown `text` of the file `place`, every link leading to what a reader can reach.

        A page of the site, then a file of the repository, where one is set; the words alone
        otherwise. A picture from elsewhere is not loaded: its text stands for it.

        Raises
        ------
        ValueError
            A link leads to no file.
        """

        def replace(part: re.Match) -> str:
            if part["code"]:
                return part[0]
            if part["bang"]:
                return self._picture(part["text"], part["target"], place)
            words = self.rewrite(part["text"], place)
            address = self.address(part["target"], place)
            return f"[{words}]({address})" if address else words

        return PARTS.sub(replace, text)

    def address(self, target: str, place: str) -> str:
        """Where `target`, a link in the file `place`, leads; "" for nowhere."""
        if _is_outside(target) or target.startswith("#"):
            return target
        path, _, anchor = target.partition("#")
        file = self._file(path, place)
        if file in self.pages:
            return self._from(place, self.pages[file]) + (f"#{anchor}" if anchor else "")
        if not self.repository:
            return ""
        kind = "tree" if (self.root / file).is_dir() else "blob"
        return f"https://github.com/{self.repository}/{kind}/{self.branch}/{file}"

    def _picture(self, alt: str, target: str, place: str) -> str:
        if _is_outside(target):
            return alt
        file = self._file(target, place)
        self.pictures.add(file)
        return f"![{alt}]({self._from(place, file)})"

    def _file(self, path: str, place: str) -> str:
        """The file of the repository that a path in `place` names."""
        file = posixpath.normpath(posixpath.join(posixpath.dirname(place), path))
        if file.startswith("..") or not (self.root / file).exists():
            raise ValueError(f"{place}: the link to {path} leads to no file")
        return file

    def _from(self, place: str, staged: str) -> str:
        return posixpath.relpath(staged, posixpath.dirname(self.pages[place]) or ".")


def _is_outside(target: str) -> bool:
    return re.match(r"[a-z]+:", target) is not None
