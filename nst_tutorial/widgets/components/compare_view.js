// Before and after in one place: the divider is dragged on the picture, or moved by keys.

const KEYS = { ArrowLeft: -2, ArrowDown: -2, ArrowRight: 2, ArrowUp: 2, PageDown: -10, PageUp: 10 };
const TYPES = {
  PNG: "image/png", JPEG: "image/jpeg", GIF: "image/gif", WebP: "image/webp", MP4: "video/mp4",
};
const FILMS = ["GIF", "WebP", "MP4"];

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** Show the bytes of a trait in an image; the earlier ones are given up when the new ones are there. */
function keepPicture(model, image, name, cleanups) {
  let address = "";
  const show = () => {
    const old = address;
    const bytes = model.get(name);
    address = bytes && bytes.byteLength ? URL.createObjectURL(new Blob([bytes])) : "";
    if (address) image.src = address;
    else image.removeAttribute("src");
    if (old) URL.revokeObjectURL(old);
  };
  model.on(`change:${name}`, show);
  cleanups.push(() => { model.off(`change:${name}`, show); URL.revokeObjectURL(address); });
  show();
}

function save(name, type, bytes) {
  const link = element("a", { download: name });
  link.href = URL.createObjectURL(new Blob([bytes], { type }));
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

function render({ model, el }) {
  const cleanups = [];
  const listen = (names, call) => {
    model.on(names, call);
    cleanups.push(() => model.off(names, call));
  };
  el.classList.add("nst", "nst-compare");
  el.setAttribute("role", "group");
  el.setAttribute("aria-label", "The picture");
  const after = element("img", { class: "nst-after" });
  const before = element("img", { class: "nst-before" });
  const edge = element("div", { class: "nst-edge" });
  const divider = element("div", {
    class: "nst-divider", role: "slider", tabindex: "0", "aria-valuemin": "0",
    "aria-valuemax": "100", "aria-label": "How much is shown as it was before",
    "data-lm-suppress-shortcuts": "true", // JupyterLab would take the arrow keys
  });
  const canvas = element("div", { class: "nst-canvas" }, after, before, edge, divider);
  const stage = element("div", { class: "nst-stage" }, canvas);
  const tools = element("div", { class: "nst-tools" });
  el.append(stage, tools);
  keepPicture(model, after, "after", cleanups);
  keepPicture(model, before, "before", cleanups);

  // --- the divider
  let at = model.get("position");
  const place = (value) => {
    at = Math.min(100, Math.max(0, value));
    canvas.style.setProperty("--nst-at", `${at}%`);
    divider.setAttribute("aria-valuenow", Math.round(at));
    divider.setAttribute("aria-valuetext", `${Math.round(at)} % before, the rest after`);
  };
  const tell = () => { model.set("position", at); model.save_changes(); };
  listen("change:position", () => place(model.get("position")));
  const follow = (event) => {
    const box = canvas.getBoundingClientRect();
    place((100 * (event.clientX - box.left)) / box.width);
  };
  const compares = () => Boolean(model.get("before")?.byteLength);
  let drags = null; // what a movement does: at 100 % it moves the picture, elsewhere the divider
  const pan = (event) => stage.scrollBy(-event.movementX, -event.movementY);
  canvas.addEventListener("pointerdown", (event) => {
    const pans = el.classList.contains("nst-whole") && !divider.contains(event.target);
    if (event.button || (pans ? event.pointerType !== "mouse" : !compares())) return;
    drags = pans ? pan : follow;
    canvas.setPointerCapture(event.pointerId);
    if (pans) return;
    divider.focus({ preventScroll: true });
    follow(event);
  });
  canvas.addEventListener("mousedown", (event) => { // which comes next, and would take the focus away
    if (drags === follow) event.preventDefault();
  });
  canvas.addEventListener("pointermove", (event) => { drags?.(event); });
  canvas.addEventListener("lostpointercapture", () => {
    if (drags === follow) tell();
    drags = null;
  });
  divider.addEventListener("keydown", (event) => {
    const ends = { Home: 0, End: 100 };
    if (event.key in KEYS) place(at + KEYS[event.key]);
    else if (event.key in ends) place(ends[event.key]);
    else return;
    event.preventDefault();
    event.stopPropagation();
    tell();
  });

  // --- the tools
  const tool = (text, name, call) => {
    const button = element("button", { type: "button", title: name, "aria-label": name }, text);
    button.addEventListener("click", call);
    tools.append(button);
    return button;
  };
  const whole = tool("100 %", "One pixel of the picture on one of the page", () => {
    const pressed = el.classList.toggle("nst-whole");
    whole.setAttribute("aria-pressed", pressed);
    if (pressed) { stage.tabIndex = 0; stage.scrollTo((canvas.offsetWidth - stage.clientWidth) / 2, 0); }
    else stage.removeAttribute("tabindex");
  });
  whole.setAttribute("aria-pressed", "false");
  const fill = tool("Full screen", "Full screen; Escape ends it", async () => {
    if (document.fullscreenElement === el) return document.exitFullscreen();
    try { await el.requestFullscreen(); }
    catch { el.classList.toggle("nst-filling"); } // a frame that may not: fill the frame
  });
  el.addEventListener("keydown", (event) => {
    if (event.key === "Escape") el.classList.remove("nst-filling");
  });
  const me = String(Math.random());
  const downloads = Object.keys(TYPES).map((format) => {
    const film = FILMS.includes(format);
    const [short, what] = film ? ["Time-lapse", "a film of the run"] : ["Download", "the picture"];
    const button = tool(`${short} ${format}`, `Download ${what} as ${format}`, () => {
      button.disabled = true;
      model.send({ kind: "download", format, view: me });
    });
    button.dataset.format = format;
    return button;
  });
  const note = element("span", { class: "nst-note" });
  tools.append(note);
  listen("msg:custom", (message, buffers) => {
    if (message.view !== me) return;
    downloads.forEach((button) => { button.disabled = false; });
    if (message.kind === "file") save(message.name, TYPES[message.format], buffers[0]);
  });

  const describe = () => {
    const [width, height] = [model.get("width") || 3, model.get("height") || 2];
    el.style.setProperty("--nst-shape", width / height);
    el.style.setProperty("--nst-pixels", `${width}px`);
    after.alt = model.get("alt_after");
    before.alt = model.get("alt_before");
    for (const part of [before, edge, divider]) part.hidden = !compares();
    const isFilmed = model.get("finished") && model.get("filmed");
    downloads.forEach((button) => {
      const { format } = button.dataset;
      button.hidden = FILMS.includes(format)
        ? !(isFilmed && model.get("films").includes(format)) : !model.get("finished");
    });
    note.textContent = model.get("note") ?? "";
    note.hidden = !isFilmed || !note.textContent;
    whole.hidden = fill.hidden = !model.get("after")?.byteLength;
    place(at);
  };
  listen("change:width change:height change:alt_after change:alt_before change:before "
    + "change:after change:finished change:filmed change:films change:note", describe);
  describe();
  return () => cleanups.forEach((clean) => clean());
}

export default { render };
