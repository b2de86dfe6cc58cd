"""The package's reference: a page for each room, with the docstrings of its public names."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

PACKAGE = "nst_tutorial"
LONGEST = 200  # characters of a value that is shown
WITHOUT = ("cli", "data")  # the command line has a page of commands, the data no code


@dataclass(frozen=True)
class Room:
    """A row of the plan in `docs/architecture.md`, for one of its rooms."""

    name: str
    floor: int
    purpose: str  # one sentence, in Markdown
    taught: str  # numbers of notebooks, say "03, 04"


def rooms(plan: str) -> list[Room]:
    """The rooms in the order of the plan, from the ground up."""
    found = []
    rows = re.findall(r"^\| (\d*) ?\| (`[^|]*) \| ([^|]*) \| ([^|]*?) ?\|$", plan, flags=re.M)
    for floor, cell, sentence, taught in rows:
        names = re.findall(r"`(\w+)/?`", cell)
        parts = sentence.split("; ")
        purposes = parts if len(parts) == len(names) else [sentence] * len(names)
        found += [
            Room(name, int(floor), purpose, taught)
            for name, purpose in zip(names, purposes, strict=True)
            if name not in WITHOUT
        ]
    if not found:
        raise ValueError("docs/architecture.md: there is no table of rooms")
    return found


def public_names(module: ModuleType) -> list[str]:
    """What a room exports; of a module without a list, what it defines."""
    listed = getattr(module, "__all__", None)
    if listed is None:
        defined = (n for n, value in vars(module).items() if _is_defined_in(value, module))
        listed = [name for name in defined if not name.startswith("_")]
    return [name for name in listed if not isinstance(getattr(module, name), ModuleType)]


def page_of(room: Room, notebooks: dict[str, str]) -> str:
    """The page of a room, in reStructuredText; `notebooks` has titles by number."""
    module = importlib.import_module(f"{PACKAGE}.{room.name}")
    names = public_names(module)
    lines = [*_heading(room.name, "="), _sentence(room.purpose), ""]
    numbers = [n for n in re.findall(r"\d+b?", room.taught) if n in notebooks]
    if numbers:
        taught = ", ".join(f":doc:`{n} </notebooks/{notebooks[n]}>`" for n in numbers)
        lines += [f"Taught in {taught}.", ""]
    lines += [f".. automodule:: {PACKAGE}.{room.name}", "   :no-members:", ""]
    for title, kind in (("Functions", "function"), ("Classes", "class"), ("Values", "data")):
        of_kind = [name for name in names if _kind(getattr(module, name)) == kind]
        lines += _heading(title, "-") if of_kind else []
        for name in sorted(of_kind, key=str.lower):
            lines += _entry(kind, f"{PACKAGE}.{room.name}.{name}", getattr(module, name))
    return "\n".join(lines) + "\n"


def index(plan: str, stub: str) -> str:
    """The first page of the reference: names of the package itself, then all rooms."""
    known = rooms(plan)
    homes, elsewhere = _homes(stub, {room.name for room in known})
    lines = [
        *_heading("Reference", "="),
        "Each name's examples are run by the tests. What a user needs most is imported with "
        "``import nst_tutorial as nst``; everything else is in the rooms below, which",
        ":doc:`the plan of the house </docs/architecture>` explains.",
        "",
        *_heading("Names of the package", "-"),
    ]
    package = importlib.import_module(PACKAGE)
    for name, home in sorted(homes.items(), key=lambda item: item[0].lower()):
        what = _first_sentence(getattr(package, name))
        lines.append(f"- :py:obj:`nst.{name} <{PACKAGE}.{home}.{name}>`{what}")
    for name in elsewhere:
        lines += ["", *_entry("function", f"{PACKAGE}.{name}", None)]
    lines += ["", *_heading("Rooms", "-")]
    lines += [f"- :doc:`{room.name}`: {_sentence(room.purpose)}" for room in known]
    lines += ["", ".. toctree::", "   :hidden:", ""]
    return "\n".join([*lines, *(f"   {room.name}" for room in known)]) + "\n"


def write(root: Path, folder: Path, notebooks: dict[str, str]) -> None:
    """All pages of the reference."""
    folder.mkdir(parents=True, exist_ok=True)
    plan = (root / "docs" / "architecture.md").read_text("utf-8")
    stub = (root / PACKAGE / "__init__.pyi").read_text("utf-8")
    (folder / "index.rst").write_text(index(plan, stub), "utf-8")
    for room in rooms(plan):
        (folder / f"{room.name}.rst").write_text(page_of(room, notebooks), "utf-8")


def _homes(stub: str, documented: set[str]) -> tuple[dict[str, str], list[str]]:
    """Top-level names by room, and those of rooms that have no page."""
    homes, elsewhere = {}, []
    for node in ast.parse(stub).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            room = node.module.partition(".")[0]
            for alias in node.names:
                if room in documented:
                    homes[alias.name] = room
                else:
                    elsewhere.append(alias.name)
    return homes, elsewhere


def _is_defined_in(value: object, module: ModuleType) -> bool:
    return getattr(value, "__module__", None) == module.__name__


def _kind(value: object) -> str:
    if inspect.isclass(value):
        return "class"
    return "function" if inspect.isroutine(value) else "data"


def _entry(kind: str, name: str, value: object) -> list[str]:
    """A directive of autodoc; a value has no docstring, so it is said what it holds."""
    if kind != "data":
        return [f".. auto{kind}:: {name}", *(["   :members:"] if kind == "class" else []), ""]
    short = name.rpartition(".")[2]
    return [f".. py:data:: {short}", f"   :type: {type(value).__name__}", "", *_held(value), ""]


def _held(value: object) -> list[str]:
    if isinstance(value, Mapping):
        return ["   By name: " + ", ".join(f"``{key}``" for key in value) + "."]
    shown = repr(value)
    return [f"   ``{shown}``"] if len(shown) <= LONGEST and "`" not in shown else []


def _heading(title: str, line: str) -> list[str]:
    return [title, line * len(title), ""]


def _sentence(purpose: str) -> str:
    """Markdown to reStructuredText: only code differs."""
    return re.sub(r"`([^`]+)`", r"``\1``", purpose[0].upper() + purpose[1:]) + "."


def _first_sentence(value: object) -> str:
    if _kind(value) == "data" or not value.__doc__:
        return ""
    paragraph = " ".join(inspect.getdoc(value).partition("\n\n")[0].split())
    sentence = re.match(r".*?[.:](?= |$)|.*", paragraph)[0].rstrip(".:")
    return ": " + re.sub(r"`([^`]+)`", r"``\1``", sentence.replace("|", r"\|")) + "."
