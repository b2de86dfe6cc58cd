// A native slider over a list of marks: the browser gives it a name, keys and touch.

function render({ model, el }) {
  el.classList.add("nst", "nst-slider");
  const input = Object.assign(document.createElement("input"), {
    type: "range", min: 0, step: 1, id: `nst-slider-${Math.random().toString(36).slice(2)}`,
  });
  input.dataset.lmSuppressShortcuts = "true"; // JupyterLab would take the arrow keys
  const name = Object.assign(document.createElement("label"), { htmlFor: input.id });
  const value = document.createElement("output");
  value.setAttribute("for", input.id);
  el.append(name, input, value);

  const say = () => {
    value.textContent = model.get("labels")[input.value];
    input.setAttribute("aria-valuetext", value.textContent);
  };
  const draw = () => {
    name.textContent = model.get("description");
    el.title = model.get("tooltip");
    input.disabled = Boolean(model.get("disabled"));
    input.max = model.get("labels").length - 1;
    input.value = model.get("index");
    say();
  };
  const tell = () => {
    model.set("index", Number(input.value));
    model.save_changes();
  };
  input.addEventListener("input", () => {
    say();
    if (model.get("continuous")) tell();
  });
  input.addEventListener("change", tell); // when it is let go of
  const traits = "change:index change:labels change:description change:tooltip change:disabled";
  model.on(traits, draw);
  draw();
  return () => model.off(traits, draw);
}

export default { render };
