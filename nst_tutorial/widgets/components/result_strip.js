// Earlier results, small, side by side: a click brings one back.

function render({ model, el }) {
  el.classList.add("nst", "nst-strip");
  const heading = Object.assign(document.createElement("h3"), { textContent: "Results so far" });
  const list = document.createElement("ul");
  list.setAttribute("aria-label", "Results so far");
  const all = document.createElement("div");
  all.append(heading, list);
  el.append(all);
  let addresses = [];

  const mark = () => {
    for (const button of list.querySelectorAll("button"))
      button.setAttribute("aria-pressed", Number(button.dataset.key) === model.get("chosen"));
  };
  const draw = () => {
    addresses.forEach(URL.revokeObjectURL);
    const items = model.get("items");
    all.hidden = !items.length;
    addresses = items.map(({ picture }) => URL.createObjectURL(new Blob([picture])));
    list.replaceChildren(...items.map(({ key, label }, i) => {
      const picture = Object.assign(document.createElement("img"), { src: addresses[i], alt: "" });
      const name = Object.assign(document.createElement("span"), { textContent: label });
      const button = Object.assign(document.createElement("button"), { type: "button", title: label });
      button.dataset.key = key;
      button.append(picture, name);
      button.addEventListener("click", () => {
        // also where it is the chosen one: its picture and knobs may have been left
        model.send({ kind: "choose", key });
      });
      const item = document.createElement("li");
      item.append(button);
      return item;
    }));
    mark();
    list.scrollLeft = list.scrollWidth;
  };
  model.on("change:items", draw);
  model.on("change:chosen", mark);
  draw();
  return () => {
    model.off("change:items", draw);
    model.off("change:chosen", mark);
    addresses.forEach(URL.revokeObjectURL);
  };
}

export default { render };
