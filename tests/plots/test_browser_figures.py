"""Figures in JupyterLab, in a real browser: what a screen reader finds there."""

import nbformat
import pytest
from browser import open_notebook, run_all

pytestmark = pytest.mark.browser

CELL = """
from nst_tutorial import plots
figure = plots.new_figure("a \\"bar\\" & <nothing> else", 3, 2)
figure.subplots().bar([1], [2])
figure
"""


@pytest.mark.slow
def test_a_figure_is_an_img_with_its_alternative_text(chromium, lab):
    cells = [nbformat.v4.new_code_cell(CELL.strip())]
    kernel = {"name": "python3", "display_name": "Python 3"}  # else JupyterLab asks for one
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(notebook, lab.folder / "figure.ipynb")
    page = open_notebook(chromium, lab, "figure.ipynb")
    try:
        run_all(page)
        page.wait_for_selector(".jp-OutputArea-output img")
        (image,) = page.locator(".jp-OutputArea-output img").all()
        assert image.get_attribute("alt") == 'a "bar" & <nothing> else'
        assert image.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [300, 200]
    finally:
        page.close()
