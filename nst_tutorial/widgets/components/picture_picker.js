// Pictures to choose from; others are dropped here, chosen from files, or taken with a camera.

const STEPS = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 };

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

const hasFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");

/** A browser leaves the page for a file that is dropped beside the place for it. */
function guard(event) {
  if (!hasFiles(event) || event.defaultPrevented) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = "none";
}

function render({ model, el }) {
  const id = `nst-picker-${Math.random().toString(36).slice(2)}`;
  el.classList.add("nst", "nst-picker");
  const heading = element("h3", { id });
  const list = element("div", {
    class: "nst-pictures", role: "radiogroup", "aria-labelledby": id,
    "data-lm-suppress-shortcuts": "true", // JupyterLab would take the arrow keys
  });
  const head = element("div", { class: "nst-picker-head" }, heading);
  el.append(head, list);

  // --- pictures from outside
  let waiting = 0;
  const busy = (change) => {
    waiting = Math.max(0, waiting + change);
    el.setAttribute("aria-busy", waiting > 0);
    add.textContent = waiting ? "Taking it in …" : "Add a picture";
  };
  const take = async (files) => {
    for (const file of files) {
      busy(1);
      if (file.size > model.get("limit")) { // not even read: the connection would break off
        model.send({ kind: "too large", name: file.name, size: file.size });
        continue;
      }
      const failed = (error) => model.send({ kind: "unread", name: file.name, why: String(error) });
      await file.arrayBuffer().then(
        (bytes) => model.send({ kind: "file", name: file.name }, undefined, [bytes]), failed,
      );
    }
  };
  const chooser = (text, name, attributes) => {
    const input = element("input", { type: "file", hidden: "", tabindex: "-1", ...attributes });
    input.addEventListener("change", () => {
      take([...input.files]);
      input.value = ""; // the same file may come again
    });
    const button = element("button", { type: "button" }, text);
    button.addEventListener("click", () => input.click());
    head.append(button, input);
    return button;
  };
  const takes = Boolean(model.get("accept"));
  const add = takes && chooser("Add a picture", "", { accept: model.get("accept") });
  const camera = takes && chooser("Camera", "", { accept: "image/*", capture: "environment" });
  if (camera) camera.classList.add("nst-camera");
  const over = (event) => {
    if (!takes || !hasFiles(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    el.classList.add("nst-over");
  };
  el.addEventListener("dragenter", over);
  el.addEventListener("dragover", over);
  el.addEventListener("dragleave", (event) => {
    if (!el.contains(event.relatedTarget)) el.classList.remove("nst-over");
  });
  el.addEventListener("drop", (event) => {
    el.classList.remove("nst-over");
    if (!takes || !hasFiles(event)) return;
    event.preventDefault();
    take([...event.dataTransfer.files]);
  });
  for (const name of ["dragover", "drop"]) document.addEventListener(name, guard);

  // --- those there are; their pictures are asked for when they come into view
  let addresses = {};
  const seen = new IntersectionObserver((entries) => {
    const names = entries.filter((entry) => entry.isIntersecting)
      .map((entry) => entry.target.dataset.name).filter((name) => !(name in addresses));
    for (const name of names) addresses[name] = "";
    if (names.length) model.send({ kind: "look", names });
  }, { rootMargin: "200px" });
  const fill = (button) => {
    const address = addresses[button.dataset.name];
    if (!address) return;
    const image = element("img", { alt: "", src: address, draggable: "false" });
    button.firstChild.replaceWith(image);
  };
  const mark = () => {
    const value = model.get("value");
    for (const button of list.children) {
      const chosen = button.dataset.name === value;
      button.setAttribute("aria-checked", chosen);
      button.tabIndex = chosen ? 0 : -1;
    }
  };
  const reveal = () => {
    const button = list.querySelector("[aria-checked=true]");
    if (!button) return;
    const [a, b] = [list.getBoundingClientRect(), button.getBoundingClientRect()];
    if (b.left < a.left || b.right > a.right) list.scrollLeft += b.left - a.left - 8;
    if (b.top < a.top || b.bottom > a.bottom) list.scrollTop += b.top - a.top - 8;
  };
  const choose = (button) => {
    model.set("value", button.dataset.name);
    model.save_changes();
    button.focus();
  };
  const draw = () => {
    heading.textContent = model.get("label");
    list.replaceChildren(...model.get("options").map((name) => {
      const shown = element("span", { class: "nst-name" }, name.replaceAll("_", " "));
      const button = element("button", { type: "button", role: "radio", title: name },
        element("span", { class: "nst-empty" }), shown);
      button.dataset.name = name;
      button.addEventListener("click", () => choose(button));
      fill(button);
      seen.observe(button);
      return button;
    }));
    mark();
    reveal();
  };
  list.addEventListener("keydown", (event) => {
    const buttons = [...list.children];
    const ends = { Home: 0, End: buttons.length - 1 };
    const now = buttons.indexOf(event.target.closest("[role=radio]"));
    if (!(event.key in STEPS || event.key in ends)) return;
    const next = event.key in ends ? ends[event.key] : now + STEPS[event.key];
    event.preventDefault();
    event.stopPropagation();
    choose(buttons[(next + buttons.length) % buttons.length]);
  });
  const hear = (message, buffers) => {
    if (message.kind === "taken") busy(-1);
    if (message.kind !== "pictures") return;
    message.names.forEach((name, i) => {
      if (!buffers[i].byteLength || addresses[name]) return;
      addresses[name] = URL.createObjectURL(new Blob([buffers[i]]));
    });
    for (const button of list.children) if (message.names.includes(button.dataset.name)) fill(button);
  };
  const marked = () => { mark(); reveal(); };
  model.on("change:options change:label", draw);
  model.on("change:value", marked);
  model.on("msg:custom", hear);
  draw();
  return () => {
    model.off("change:options change:label", draw);
    model.off("change:value", marked);
    model.off("msg:custom", hear);
    seen.disconnect();
    for (const name of ["dragover", "drop"]) document.removeEventListener(name, guard);
    Object.values(addresses).forEach((address) => address && URL.revokeObjectURL(address));
  };
}

export default { render };
