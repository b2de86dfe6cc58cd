// Pictures side by side; of a drawing the file that suits the page, light or dark.

const THEMED = ["class", "style", "data-theme", "data-jp-theme-light", "data-vscode-theme-kind"];

/** Whether text is light where an element stands, so that what is behind it is dark. */
export function isDark(node) {
  const [red, green, blue] = getComputedStyle(node).color.match(/[\d.]+/g).map(Number);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 127;
}

/** Call when the theme of the page may have become another; returns what ends that. */
export function onTheme(call) {
  const observer = new MutationObserver(call);
  const options = { attributes: true, attributeFilter: THEMED };
  for (const node of [document.documentElement, document.body]) observer.observe(node, options);
  const system = matchMedia("(prefers-color-scheme: dark)");
  system.addEventListener("change", call);
  document.addEventListener("load", call, true); // a style sheet that comes later
  return () => {
    observer.disconnect();
    system.removeEventListener("change", call);
    document.removeEventListener("load", call, true);
  };
}

function render({ model, el }) {
  el.classList.add("nst", "nst-row");
  let addresses = [];
  let [images, dark] = [[], null];

  const clear = () => addresses.forEach((address) => URL.revokeObjectURL(address));
  const address = (bytes) => {
    if (!bytes?.byteLength) return "";
    addresses.push(URL.createObjectURL(new Blob([bytes])));
    return addresses.at(-1);
  };
  const pick = () => {
    if (!el.isConnected || isDark(el) === dark) return;
    dark = isDark(el);
    for (const { image, files } of images) image.src = (dark && files.dark) || files.light;
  };
  const draw = () => {
    clear();
    addresses = [];
    images = model.get("pictures").map(({ light, dark: other, alt }, i) => {
      const image = Object.assign(document.createElement("img"), { alt });
      image.style.width = model.get("widths")[i];
      return { image, files: { light: address(light), dark: address(other) } };
    });
    dark = null;
    pick();
    el.replaceChildren(...images.map(({ image }) => image));
    el.hidden = !images.length;
  };
  const stop = onTheme(pick);
  model.on("change:pictures change:widths", draw);
  draw();
  const placed = new ResizeObserver(pick); // only on the page it has a colour
  placed.observe(el);
  return () => {
    model.off("change:pictures change:widths", draw);
    stop();
    placed.disconnect();
    clear();
  };
}

export default { render };
