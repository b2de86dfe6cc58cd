// Strokes of several colours on a picture: each pixel holds the number of its region, or 0.

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const MOST_UNDONE = 30;

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function bytesOf(model, name) {
  const view = model.get(name);
  return view?.byteLength ? new Uint8Array(view.buffer, view.byteOffset, view.byteLength) : null;
}

const ink = (color) => [1, 3, 5].map((i) => parseInt(color.slice(i, i + 2), 16));

function render({ model, el }) {
  const id = `nst-painter-${Math.random().toString(36).slice(2)}`;
  el.classList.add("nst", "nst-painter");
  const picture = element("img", { draggable: "false" });
  const tint = element("img", { alt: "", draggable: "false" });
  const canvas = element("canvas", {
    tabindex: "0", role: "img",
    "data-lm-suppress-shortcuts": "true", // JupyterLab would take arrow keys and digits
    "aria-label": "Paint on the picture. Arrow keys move the brush, the space bar paints, digits "
      + "choose a region, Backspace takes the last stroke back.",
  });
  const brush = element("div", { class: "nst-brush", hidden: "" });
  const board = element("div", { class: "nst-board" }, picture, tint, canvas, brush);
  const inks = element("fieldset", {}, element("legend", {}, "Paint where it goes"));
  const width = element("input", {
    type: "range", min: "1", max: "20", value: "5", id: `${id}-w`, "data-lm-suppress-shortcuts": "true",
  });
  const undo = element("button", { type: "button" }, "Undo");
  const clear = element("button", { type: "button" }, "Clear");
  const tools = element("div", { class: "nst-tools" },
    element("label", { for: width.id }, "Brush"), width, undo, clear);
  el.append(board, inks, tools);

  let [wide, high, chosen, map, past, addresses] = [0, 0, 1, new Uint8Array(0), [], {}];
  const context = canvas.getContext("2d");
  const draw = () => {
    const colors = [[0, 0, 0], ...model.get("colors").map(ink)];
    const shown = context.createImageData(wide, high);
    map.forEach((label, i) => {
      if (label) shown.data.set([...colors[label], 255], 4 * i);
    });
    context.putImageData(shown, 0, 0);
    undo.disabled = !past.length;
    clear.disabled = !map.some(Boolean);
  };
  const load = () => {
    [wide, high] = [model.get("width"), model.get("height")];
    canvas.width = wide || 1;
    canvas.height = high || 1;
    board.style.setProperty("--nst-shape", wide / high || 1.5);
    map = new Uint8Array(wide * high);
    const kept = bytesOf(model, "strokes");
    if (kept && kept.length === map.length) map.set(kept);
    if (wide && high) draw();
  };
  const show = () => {
    for (const [name, image] of [["picture", picture], ["tint", tint]]) {
      if (addresses[name]) URL.revokeObjectURL(addresses[name]);
      const bytes = bytesOf(model, name);
      addresses[name] = bytes ? URL.createObjectURL(new Blob([bytes])) : "";
      image.hidden = !bytes;
      if (bytes) image.src = addresses[name];
    }
    picture.alt = model.get("alt");
  };
  const offer = () => {
    const radio = (name, value, color) => {
      const input = element("input", { type: "radio", name: id, value });
      input.checked = value === chosen;
      input.addEventListener("change", () => { chosen = value; });
      const swatch = element("span", { class: "nst-ink" });
      if (color) swatch.style.background = color;
      return element("label", {}, input, swatch, name);
    };
    const colors = model.get("colors");
    const named = model.get("labels").map((name, i) => radio(name, i + 1, colors[i]));
    inks.replaceChildren(inks.firstChild, ...named, radio("Eraser", 0));
  };

  const radius = () => (Number(width.value) / 100) * Math.max(wide, high) / 2;
  const dot = (x, y) => {
    const r = Math.max(0.6, radius());
    for (let v = Math.max(0, Math.ceil(y - r)); v <= Math.min(high - 1, y + r); v += 1)
      for (let u = Math.max(0, Math.ceil(x - r)); u <= Math.min(wide - 1, x + r); u += 1)
        if ((u - x) ** 2 + (v - y) ** 2 <= r * r) map[v * wide + u] = chosen;
  };
  const remember = () => {
    past.push(map.slice());
    if (past.length > MOST_UNDONE) past.shift();
  };
  const tell = () => {
    draw();
    model.send({ kind: "painted", width: wide, height: high }, undefined, [map.slice().buffer]);
  };
  let last = null;
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * wide - 0.5,
      ((event.clientY - box.top) / box.height) * high - 0.5];
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button || !wide) return;
    canvas.setPointerCapture(event.pointerId);
    remember();
    last = place(event);
    dot(...last);
    draw();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!last) return;
    const [x, y] = place(event);
    const steps = Math.ceil(Math.hypot(x - last[0], y - last[1])) || 1;
    for (let i = 1; i <= steps; i += 1)
      dot(last[0] + ((x - last[0]) * i) / steps, last[1] + ((y - last[1]) * i) / steps);
    last = [x, y];
    draw();
  });
  canvas.addEventListener("lostpointercapture", () => {
    if (last) tell();
    last = null;
  });

  // --- by keyboard
  let [x, y] = [0, 0];
  const mark = () => {
    const size = (200 * radius()) / wide;
    Object.assign(brush.style, {
      left: `${((x + 0.5) / wide) * 100}%`, top: `${((y + 0.5) / high) * 100}%`,
      width: `${size}%`, height: `${(size * wide) / high}%`,
    });
  };
  canvas.addEventListener("focus", () => {
    [x, y] = [Math.floor(wide / 2), Math.floor(high / 2)];
    brush.hidden = !canvas.matches(":focus-visible");
    mark();
  });
  canvas.addEventListener("blur", () => { brush.hidden = true; });
  canvas.addEventListener("keydown", (event) => {
    const labels = model.get("labels").length;
    if (event.key in ARROWS) {
      const step = Math.max(1, radius());
      x = Math.min(wide - 1, Math.max(0, x + ARROWS[event.key][0] * step));
      y = Math.min(high - 1, Math.max(0, y + ARROWS[event.key][1] * step));
      brush.hidden = false;
    } else if (event.key === " ") { remember(); dot(x, y); tell(); }
    else if (event.key === "Backspace") undo.click();
    else if (event.key >= "0" && Number(event.key) <= labels) { chosen = Number(event.key); offer(); }
    else return;
    mark();
    event.preventDefault();
    event.stopPropagation();
  });

  undo.addEventListener("click", () => {
    if (past.length) { map = past.pop(); tell(); }
  });
  clear.addEventListener("click", () => { remember(); map.fill(0); tell(); });
  const anew = () => { past = []; load(); };
  const heard = [
    ["change:width change:height change:strokes", anew], ["change:picture change:tint change:alt", show],
    ["change:labels change:colors", offer],
  ];
  heard.forEach(([names, call]) => model.on(names, call));
  show();
  load();
  offer();
  return () => {
    heard.forEach(([names, call]) => model.off(names, call));
    Object.values(addresses).forEach((address) => address && URL.revokeObjectURL(address));
  };
}

export default { render };
