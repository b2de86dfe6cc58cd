"""Sphinx's settings. `docs/build.py` lays out the source first: run that."""

import sys
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
with (ROOT / "pyproject.toml").open("rb") as _file:
    _toml = tomllib.load(_file)
_where = _toml["tool"]["nst_tutorial"]

project = author = _toml["project"]["name"]
release = version = _toml["project"]["version"]
project_copyright = "the authors of nst_tutorial, MIT License"
language = "en"

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.mathjax",
    "sphinx_copybutton",
]
templates_path = ["book/templates"]

nb_execution_mode = "off"  # pages show what is stored
nb_ipywidgets_js = {}  # a widget without a kernel is replaced by a sentence
nb_merge_streams = True
nb_code_prompt_show = "Show what is imported and set"
nb_code_prompt_hide = "Hide what is imported and set"
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 6
myst_dmath_double_inline = True

highlight_language = "none"  # most blocks are commands or what they print
default_role = "literal"  # docstrings write `code` as Markdown does
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
add_module_names = False
toc_object_entries_show_parents = "hide"
napoleon_numpy_docstring = True
napoleon_google_docstring = False

mathjax_path = "../mathjax/tex-chtml.js"
copybutton_prompt_text = ">>> |\\.\\.\\. "
copybutton_prompt_is_regexp = True

html_theme = "sphinx_book_theme"
html_title = project
html_favicon = "../build/site/source/static/icon.png"
html_static_path = ["../build/site/source/static"]
html_extra_path = ["../build/site/extra"]
html_css_files = ["book.css"]
html_copy_source = False
html_show_sourcelink = False
html_sidebars = {"**": ["navbar-logo.html", "search-button-field.html", "sidebar.html"]}
html_context = {"default_mode": "auto"}  # light or dark, as the reader's system is
html_theme_options = {
    "navbar_persistent": [],  # the search is in the sidebar
    "use_download_button": False,  # the notebooks have a link of their own
    "use_fullscreen_button": False,
    "home_page_in_toc": True,
    "show_toc_level": 2,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
if _where["repository"]:
    html_theme_options |= {
        "repository_url": f"https://github.com/{_where['repository']}",
        "repository_branch": _where["branch"],
        "use_repository_button": True,
    }


def setup(app):
    sys.path.insert(0, str(ROOT / "docs"))
    from book.docstrings import as_restructured_text
    from book.stage import HEAD

    head = ROOT / "build" / "site" / HEAD

    def process(app, what, name, obj, options, lines):
        lines[:] = as_restructured_text(lines)

    def load_early(app, page, template, context, tree):
        context["early"] = head.read_text("utf-8") if page == "docs/play" else ""

    app.connect("html-page-context", load_early)
    app.connect("autodoc-process-docstring", process, priority=400)  # before napoleon
