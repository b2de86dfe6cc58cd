"""How the repository becomes the source of a book that Sphinx can build; `docs/build.py` runs it.

`stage` lays everything out in a folder of its own, with the help of the others: `links` says where
a link leads, `notebooks` makes a notebook readable without a kernel, `front` makes the first page
out of the README, `reference` the pages of the package's rooms, `assets` what no one reads and
every page needs. Nothing that is under version control is changed.
"""
