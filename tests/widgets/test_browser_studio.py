"""The studio in a real browser: in JupyterLab, and as a web page with `nst studio`."""

import re
import sys
import threading
import time
import urllib.error
import urllib.request
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import psutil
import pytest
from browser import (
    ROOT,
    change_theme,
    free_port,
    open_notebook,
    run_all,
    screenshot,
    serious_faults,
    serving,
    wait_until,
)
from PIL import Image

from nst_tutorial import load_image, load_settings

pytestmark = pytest.mark.browser
OUTPUT = ".jp-OutputArea-output"


@pytest.fixture
def files(tmp_path):
    """A picture to upload, and a file that only looks like one."""
    with Image.open(ROOT / "images" / "content" / "cat.jpg") as cat:
        cat.resize((160, 120)).save(tmp_path / "my cat.png")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and nothing else")
    return tmp_path


@pytest.fixture(autouse=True)
def _close(chromium):
    """No page is left open, also by a test that failed: each holds a kernel."""
    yield
    for context in chromium.contexts:
        context.close()


@pytest.fixture(scope="module")
def web(tmp_path_factory):
    """`nst studio`, started in a folder with a picture of its own: address, folder, process."""
    home = tmp_path_factory.mktemp("web")
    (home / "images" / "style").mkdir(parents=True)
    Image.new("RGB", (64, 64), "teal").save(home / "images" / "style" / "plain_teal.png")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "nst_tutorial", "studio", "--no-browser", f"--port={port}"]
    environment = {"NST_FAST": "1", "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    ready = f"{url}/voila/static/voila.js"
    with serving(command, ready, home / "log.txt", environment, 300) as server:
        assert f"The studio is at {url}/" in (home / "log.txt").read_text()
        yield url, home, server.pid


def visit(chromium, url):
    page = chromium.new_context(viewport={"width": 1200, "height": 1500}).new_page()
    page.goto(url, wait_until="domcontentloaded", timeout=120_000)
    wait_for_studio(page)
    return page


def wait_for_studio(page):
    page.wait_for_selector(f"{OUTPUT} .nst-picker", timeout=120_000)
    wait_until(lambda: "being measured" not in said(page), "the speed is measured", 120)


def said(page) -> str:
    """All that is written there, also what is folded."""
    return page.locator(OUTPUT).last.text_content()


def button(page, name):
    return page.locator(f"{OUTPUT} button").filter(has_text=name)


def picker(page, label):
    return page.locator(".nst-picker").filter(has=page.get_by_role("radiogroup", name=label))


def upload(page, label, path):
    with page.expect_file_chooser() as chooser:
        picker(page, label).get_by_role("button", name="Add a picture").click()
    chooser.value.set_files(path)


def drop(page, target, path):
    """As if the file were dragged over it from a folder, and let go of."""
    dragged = page.evaluate_handle(
        """([name, bytes]) => {
            const dragged = new DataTransfer();
            dragged.items.add(new File([new Uint8Array(bytes)], name));
            return dragged;
        }""",
        [path.name, list(path.read_bytes())],
    )
    for event in ("dragenter", "dragover", "drop"):
        target.dispatch_event(event, {"dataTransfer": dragged, "bubbles": True, "cancelable": True})


def picture(page) -> list[int]:
    """The bytes of the picture that is seen."""
    return page.evaluate(
        """async () => {
            const shown = document.querySelector('.nst-after');
            return Array.from(new Uint8Array(await (await fetch(shown.src)).arrayBuffer()));
        }"""
    )


def set_steps(page, number):
    steps = page.locator(OUTPUT).get_by_label("Evaluations")
    steps.fill(str(number))
    steps.press("Enter")
    wait_until(lambda: f"{number} evaluations" in said(page), "the plan follows")


def divider(page):
    return page.get_by_role("slider", name="How much is shown as it was before")


def evaluations(page) -> int:
    found = re.search(r"evaluation (\d+) of", said(page))
    return int(found[1]) if found else 0


def run_ten_and_stop(page, name):
    """Run, see the picture change, stop after ten evaluations or more."""
    set_steps(page, 3000)
    button(page, "Run").click()
    wait_until(lambda: evaluations(page) >= 2, "it runs", 120)
    before = picture(page)
    wait_until(lambda: evaluations(page) >= 10, "ten evaluations", 120)
    wait_until(lambda: picture(page) != before, "a new frame", 5)
    screenshot(page, f"{name}_running")
    button(page, "Stop").click()
    wait_until(lambda: "Stopped after" in said(page), "it stops", 30)
    assert "--stop-after" in said(page)
    assert 0 < page.locator("progress").evaluate("bar => bar.value") < 0.5  # as far as it came


def assert_a_broken_upload_is_told(page, files, name):
    upload(page, "Content", files / "broken.png")
    told = page.locator(f"{OUTPUT} [role=alert]")
    told.wait_for(timeout=30_000)
    assert re.match(r"broken.png: cannot be read as a picture.*save it anew", told.inner_text())
    screenshot(page, f"{name}_broken")


@pytest.mark.slow
def test_in_jupyterlab(chromium, lab, files):
    page = open_notebook(chromium, lab, "studio.ipynb")
    run_all(page)
    wait_for_studio(page)
    screenshot(page, "studio_lab")
    assert_a_broken_upload_is_told(page, files, "studio_lab")
    upload(page, "Content", files / "my cat.png")
    wait_until(lambda: "96×72" in said(page), "the plan is that of the uploaded picture")
    assert page.locator(f"{OUTPUT} [role=alert]").count() == 0
    run_ten_and_stop(page, "studio_lab")
    button(page, "Save").click()
    path = lab.folder / "results" / "my cat_starry_night.png"
    wait_until(path.exists, "the file is there", 10)
    assert load_image(path).shape == (1, 3, 72, 96)
    assert load_settings(path)["content"] == "my cat.png"
    wait_until(lambda: "Saved as results/my cat_starry_night.png" in said(page), "it says so")
    screenshot(page, "studio_lab_saved")
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        change_theme(page, theme)
        screenshot(page, f"studio_{theme.replace(' ', '_')}")
        bar, behind = page.evaluate(
            """() => ['.nst-bar', '.jp-Notebook'].map(
                name => getComputedStyle(document.querySelector(name)).backgroundColor)"""
        )
        assert bar == behind, theme
        assert serious_faults(page, ".nst-studio") == [], theme
    page.close()


@pytest.mark.slow
def test_the_kernel_is_free_while_it_runs_and_pause_holds(chromium, lab):
    page = open_notebook(chromium, lab, "studio.ipynb")
    run_all(page)
    wait_for_studio(page)
    set_steps(page, 3000)
    button(page, "Run").click()
    wait_until(lambda: evaluations(page) >= 2, "it runs", 120)
    begin = time.monotonic()
    page.evaluate(
        """async () => {
            const panel = window.jupyterapp.shell.currentWidget;
            const kernel = panel.sessionContext.session.kernel;
            await kernel.requestExecute({code: "6 * 7"}).done;
        }"""
    )
    assert time.monotonic() - begin < 5
    button(page, "Pause").click()
    wait_until(lambda: "paused: evaluation" in said(page), "it pauses")
    time.sleep(1)
    held = evaluations(page)
    time.sleep(1.5)
    assert evaluations(page) == held
    button(page, "Resume").click()
    wait_until(lambda: evaluations(page) > held, "it goes on")
    button(page, "Stop").click()
    wait_until(lambda: "Stopped after" in said(page), "it stops", 30)
    page.close()


NAMELESS = """() => [...document.querySelector('.nst-studio')
        .querySelectorAll('button, input, select, [tabindex]')]
    .filter((part) => part.checkVisibility() && !part.matches('pre, [aria-label]'))
    .filter((part) => ![...(part.labels ?? []), part].some((named) => named.innerText.trim()))
    .map((part) => part.outerHTML.slice(0, 200))"""


@pytest.mark.slow
def test_by_keyboard(chromium, web):
    page = visit(chromium, web[0])
    assert "96×64" in said(page)
    size = page.get_by_role("slider", name="Size", exact=True)
    size.focus()
    page.keyboard.press("ArrowRight")
    wait_until(lambda: "128×85: " in said(page), "a larger size")
    fold = page.get_by_role("button", name="Regions and faces")
    fold.focus()
    page.keyboard.press("Enter")
    page.get_by_label("Keep faces").wait_for(timeout=10_000)
    assert page.evaluate(NAMELESS) == []
    chosen = page.get_by_role("radiogroup", name="Content").get_by_role("radio", checked=True)
    chosen.focus()
    page.keyboard.press("Home")
    assert chosen.inner_text().strip() == "astronaut"
    wait_until(lambda: "128×128: " in said(page), "the plan is that of the other content")
    reached = set()
    for _ in range(30):
        reached.add(page.evaluate("() => document.activeElement.innerText.trim()"))
        page.keyboard.press("Tab")
    wanted = {"astronaut", "starry night", "Add a picture", "Painting", "Run", "▸ Several styles"}
    assert wanted <= reached
    page.close()


def sees(page, *targets) -> bool:
    """Whether all are within the window, to their edges."""
    height = page.viewport_size["height"]
    boxes = [target.bounding_box() for target in targets]
    return all(box["y"] >= 0 and box["y"] + box["height"] <= height + 1 for box in boxes)


def test_first_sight_in_three_sizes(chromium, web):
    page = visit(chromium, web[0])
    run, shown = button(page, "Run"), page.locator(".nst-stage")
    rows = [picker(page, label) for label in ("Content", "Style")]
    for width, height in ((1280, 900), (800, 900), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        wait_until(lambda: sees(page, run), "the bar stays in view", 10)
        if width == 1280:
            assert sees(page, *rows, shown, run)
            assert shown.bounding_box()["width"] > 700
        scroller = page.locator(".lm-BoxPanel-child").first
        wide = "part => part.scrollWidth - part.clientWidth"
        assert scroller.evaluate(wide) <= 0
        assert page.locator("html").evaluate(wide) <= 0
        screenshot(page, f"studio_web_{width}")
    fold = page.get_by_role("button", name="What counts as style")
    fold.click()
    page.get_by_label("Content layer").scroll_into_view_if_needed()
    assert sees(page, run)
    page.emulate_media(color_scheme="dark")
    paper = "part => getComputedStyle(part).backgroundColor"
    assert page.locator("body").evaluate(paper) == "rgb(27, 27, 27)"
    page.set_viewport_size({"width": 1280, "height": 900})
    screenshot(page, "studio_web_dark")
    page.close()


@pytest.mark.slow
def test_divider_results_and_downloads(chromium, web):
    page = visit(chromium, web[0])
    assert divider(page).count() == 0  # nothing to compare yet
    for number, style in ((3, "woodcut waves"), (2, "stained glass")):
        page.get_by_role("radio", name=style).click()
        set_steps(page, number)
        button(page, "Run").click()
        wait_until(lambda n=number: f"Done after {n} evaluations" in said(page), "it runs", 120)
    assert divider(page).get_attribute("aria-valuenow") == "0"
    second, box = picture(page), page.locator(".nst-canvas").bounding_box()
    middle = box["y"] + box["height"] / 3
    page.mouse.move(box["x"] + box["width"] / 4, middle)
    page.mouse.down()  # anywhere on the picture
    page.mouse.move(box["x"] + box["width"] / 2, middle, steps=4)
    page.mouse.up()
    assert divider(page).get_attribute("aria-valuenow") == "50"
    clip = page.locator(".nst-before").evaluate("part => getComputedStyle(part).clipPath")
    assert re.match(r"inset\(0(px|%)? (calc\(50%.*|50%) ", clip)
    screenshot(page, "studio_web_divided")
    page.keyboard.press("PageUp")
    assert divider(page).get_attribute("aria-valuenow") == "60"
    page.get_by_role("button", name="One pixel of the picture").click()
    assert abs(page.locator(".nst-canvas").bounding_box()["width"] - 96) < 1
    page.get_by_role("button", name="One pixel of the picture").click()
    page.get_by_role("button", name="Full screen").click()
    wait_until(lambda: page.evaluate("() => document.fullscreenElement !== null"), "it fills", 5)
    page.evaluate("() => document.exitFullscreen()")

    earlier = page.get_by_role("list", name="Results so far").get_by_role("button")
    assert earlier.count() == 2
    earlier.first.click()
    wait_until(lambda: picture(page) != second, "the first picture is back", 20)
    chosen = page.get_by_role("radiogroup", name="Style").get_by_role("radio", checked=True)
    assert chosen.inner_text().strip() == "woodcut waves"
    assert page.get_by_label("Evaluations").input_value() == "3"
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the picture as JPEG").click()
    assert download.value.suggested_filename == "temple_woodcut_waves.jpg"
    assert load_settings(download.value.path())["steps"] == 3
    page.close()


@pytest.mark.slow
def test_files_are_dropped(chromium, web, files):
    page = visit(chromium, web[0])
    drop(page, picker(page, "Style"), files / "my cat.png")
    chosen = page.get_by_role("radiogroup", name="Style").get_by_role("radio", checked=True)
    wait_until(lambda: chosen.inner_text().strip() == "my cat.png", "it is chosen", 20)
    drop(page, page.locator(".nst-stage"), files / "my cat.png")  # beside the place for it
    drop(page, picker(page, "Content"), files / "broken.png")
    page.locator(f"{OUTPUT} [role=alert]").wait_for(timeout=30_000)
    assert page.url.startswith(web[0])
    content = page.get_by_role("radiogroup", name="Content").get_by_role("radio", checked=True)
    assert content.inner_text().strip() == "temple"
    page.close()


@pytest.mark.slow
def test_regions_are_painted_by_mouse_and_by_keys(chromium, web):
    page = visit(chromium, web[0])
    page.get_by_role("button", name="Regions and faces").click()
    page.get_by_label("Regions", exact=True).select_option("painted by hand")
    wait_until(lambda: "Paint at least two regions" in said(page), "it says how", 20)
    board, painter = page.locator(".nst-board canvas"), page.locator(".nst-painter")
    board.scroll_into_view_if_needed()
    box = board.bounding_box()
    for region, share in ((0, 0.2), (1, 0.8)):
        painter.get_by_role("radio").nth(region).check()
        page.mouse.move(box["x"] + share * box["width"], box["y"] + 0.2 * box["height"])
        page.mouse.down()
        page.mouse.move(box["x"] + share * box["width"], box["y"] + 0.7 * box["height"], steps=5)
        page.mouse.up()
    wait_until(lambda: re.search(r"region 1: \d+%, 2: \d+%", said(page)), "it is filled", 20)
    board.focus()
    page.keyboard.press("3")
    page.keyboard.press(" ")
    wait_until(lambda: re.search(r"2: \d+%, 3: \d+%", said(page)), "the third is there", 20)
    screenshot(page, "studio_web_painted")
    page.keyboard.press("Backspace")
    wait_until(lambda: not re.search(r", 3: \d+%", said(page)), "it is taken back", 20)
    assert page.evaluate(NAMELESS) == []
    painter.get_by_role("button", name="Clear").click()
    wait_until(lambda: "Paint at least two regions" in said(page), "nothing is painted", 20)
    page.close()


@pytest.mark.slow
def test_as_a_web_page(chromium, web, files):
    url, home, _ = web
    before = sorted(path.name for path in home.iterdir())
    page = visit(chromium, url)
    screenshot(page, "studio_web")
    assert "import nst_tutorial as nst\n\nFAST" not in page.content()  # no cells
    styles = page.get_by_role("radiogroup", name="Style")
    assert "plain teal" in styles.inner_text()  # of the folder where it was started
    assert_a_broken_upload_is_told(page, files, "studio_web")
    upload(page, "Content", files / "my cat.png")
    wait_until(lambda: "96×72" in said(page), "the plan is that of the uploaded picture")
    run_ten_and_stop(page, "studio_web")
    assert button(page, "Save").count() == 0  # there is no folder of the visitor's here
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the picture as PNG").click()
    assert download.value.suggested_filename == "my cat_starry_night.png"
    assert load_image(download.value.path()).shape == (1, 3, 72, 96)
    screenshot(page, "studio_web_saved")

    other = visit(chromium, url)
    assert "my cat.png" in said(page)
    assert "my cat" not in other.content()
    assert sorted(path.name for path in home.iterdir()) == before  # nothing is left here
    page.close()
    other.close()


@pytest.mark.parametrize("path", ["images/style/plain_teal.png", "studio.ipynb", "log.txt"])
def test_no_file_can_be_had(web, path):
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{web[0]}/voila/files/{path}", timeout=30)
    assert refused.value.code in (403, 404)


@pytest.mark.slow
def test_no_code_of_a_visitor_is_run(chromium, web):
    """The page's own connection to its kernel: what is no message of a widget is not passed on."""
    page = visit(chromium, web[0])
    answered = page.evaluate(
        """async () => {
            const config = JSON.parse(document.getElementById('jupyter-config-data').textContent);
            const address = `${location.origin.replace('http', 'ws')}/api/kernels/`
                + `${config.kernelId}/channels?session_id=visitor`;
            const socket = new WebSocket(address, ['v1.kernel.websocket.jupyter.org']);
            socket.binaryType = 'arraybuffer';
            await new Promise((done, fail) => { socket.onopen = done; socket.onerror = fail; });
            const ask = (type, content) => {  // offsets, then channel and four dictionaries
                const header = {msg_id: type, msg_type: type, username: '', session: 'visitor',
                                version: '5.3', date: new Date().toISOString()};
                const parts = ['shell', ...[header, {}, {}, content].map(JSON.stringify)]
                    .map((text) => new TextEncoder().encode(text));
                const offsets = [8 * (parts.length + 2)];
                parts.forEach((part) => offsets.push(offsets.at(-1) + part.length));
                const numbers = BigUint64Array.from([offsets.length, ...offsets], BigInt);
                socket.send(new Blob([numbers, ...parts]));
            };
            const seen = [];
            socket.onmessage = ({data}) => {
                const numbers = new BigUint64Array(data.slice(0, 64));
                const [count, ...offsets] = Array.from(numbers, Number);
                const part = (i) => JSON.parse(
                    new TextDecoder().decode(data.slice(offsets[i], offsets[i + 1])));
                seen.push([part(2).msg_id, part(1).msg_type]);
            };
            ask('execute_request', {code: 'open("visited", "w")', silent: false,
                                    store_history: false, user_expressions: {},
                                    allow_stdin: false});
            ask('kernel_info_request', {});
            await new Promise((done) => setTimeout(done, 3000));
            socket.close();
            return seen;
        }"""
    )
    kinds = {tuple(pair) for pair in answered}
    assert ("kernel_info_request", "kernel_info_reply") in kinds  # it listens
    assert not [pair for pair in kinds if pair[0] == "execute_request"]
    assert not (web[1] / "visited").exists()
    page.close()


def kernels(web) -> int:
    """How many there are: processes that the server has started and that live."""
    children = psutil.Process(web[2]).children()
    return sum(child.status() != psutil.STATUS_ZOMBIE for child in children)


@pytest.mark.slow
def test_a_page_that_is_loaded_anew_leaves_no_kernel_behind(chromium, web):
    wait_until(lambda: kernels(web) == 0, "earlier pages are gone", 60)
    page = visit(chromium, web[0])
    for _ in range(2):
        page.reload(wait_until="domcontentloaded", timeout=120_000)
        wait_for_studio(page)
        assert kernels(web) == 1
    page.goto("about:blank")
    wait_until(lambda: kernels(web) == 0, "the kernel ended with its page", 10)
    page.close()


@pytest.mark.slow
def test_a_page_that_is_closed_in_the_middle_of_a_run_ends_it(chromium, web):
    page = visit(chromium, web[0])
    set_steps(page, 3000)
    button(page, "Run").click()
    wait_until(lambda: evaluations(page) >= 2, "it runs", 120)
    page.close(run_before_unload=False)  # as if the browser had crashed
    wait_until(lambda: kernels(web) == 0, "the kernel ended with its page", 60)


@pytest.fixture
def elsewhere(web, tmp_path):
    """The address of a page of another site that asks the studio for pictures and frames."""
    tags = [f"<{tag} src='{web[0]}/?{tag}{i}'></{tag}>" for tag in ("img", "iframe") for i in "12"]
    (tmp_path / "index.html").write_text(f"<a href='{web[0]}/'>there</a> {' '.join(tags)}")
    handler = partial(SimpleHTTPRequestHandler, directory=tmp_path)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()


@pytest.mark.slow
def test_another_site_starts_no_kernel(chromium, web, elsewhere):
    wait_until(lambda: kernels(web) == 0, "earlier pages are gone", 60)
    page = chromium.new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(elsewhere, wait_until="load", timeout=120_000)  # and all that is in it
    assert {f"{web[0]}/?{name}" for name in ("img1", "img2", "iframe1", "iframe2")} <= set(asked)
    assert kernels(web) == 0
    page.get_by_text("there").click()
    page.get_by_text("Another web page asked for this one.").wait_for()
    assert kernels(web) == 0
    page.get_by_role("link", name="Open the studio").click()
    wait_for_studio(page)


@pytest.mark.slow
def test_nothing_is_asked_of_other_servers(chromium, web):
    page = chromium.new_page()
    asked, complaints = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(web[0], wait_until="domcontentloaded", timeout=120_000)
    wait_for_studio(page)
    kinds = ("http:", "https:", "ws:", "wss:")
    elsewhere = [url for url in asked if url.startswith(kinds) and not url.startswith(web[0])]
    assert elsewhere == []
    assert [text for text in complaints if "Content Security Policy" in text] == []
    page.close()


@pytest.mark.slow
def test_an_upload_that_is_too_large_is_told_and_later_ones_are_taken(chromium, web, files):
    with (files / "huge.png").open("wb") as huge:
        huge.truncate(200_000_000)  # far over what the connection takes
    page = visit(chromium, web[0])
    upload(page, "Content", files / "huge.png")
    told = page.get_by_role("alert")
    told.wait_for(timeout=10_000)
    assert told.inner_text() == (
        "huge.png: 200.0 MB, over the limit of 10 MB for uploads; make the picture smaller first"
    )
    screenshot(page, "studio_web_huge")
    upload(page, "Content", files / "my cat.png")
    wait_until(lambda: "96×72" in said(page), "the plan is that of the uploaded picture")
    assert page.get_by_role("alert").count() == 0
    page.close()


@pytest.mark.slow
def test_pause_after_stop_leaves_the_buttons(chromium, web):
    page = visit(chromium, web[0])
    set_steps(page, 3000)
    button(page, "Run").click()
    wait_until(lambda: evaluations(page) >= 2, "it runs", 120)
    page.evaluate(  # both before the kernel can turn the second one off
        """() => ['Stop', 'Pause'].forEach((name) => [...document.querySelectorAll('button')]
                 .find((button) => button.textContent.trim() === name).click())"""
    )
    wait_until(lambda: "Stopped after" in said(page), "it stops", 30)
    wait_until(lambda: button(page, "Run").is_enabled(), "the next can be run", 10)
    page.close()
