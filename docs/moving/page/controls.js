// Controls read from JSON: a slider and pictures to choose from (the notebooks' StepSlider and
// PicturePicker), a list, a tick.

import { Model, element } from "./host.js";
import picker from "./picture_picker.js";
import slider from "./step_slider.js";

const WIDE = 26; // letters of a choice, from which on a list has a row to itself
let count = 0;

/** One control; `changed()` is called when a hand has moved it. */
function control(spec, changed) {
  const node = element("div", { class: `nst-knob nst-knob-${spec.kind}`, title: spec.tip });
  const state = { name: spec.name, spec, node, index: spec.index };
  const id = `nst-knob-${count += 1}`;
  const take = (index) => { state.index = index; changed(spec.name); };
  if (spec.kind === "slider") {
    const model = new Model({
      description: spec.label, tooltip: spec.tip, labels: spec.labels, index: spec.index,
    });
    slider.render({ model, el: node });
    model.on("change:index", () => take(model.get("index")));
    state.place = (index) => model.set("index", index);
    state.relabel = (labels) => model.set("labels", labels);
    state.input = node.querySelector("input");
    state.disable = (off) => model.set("disabled", off);
  } else if (spec.kind === "pictures") { // whose files are `looks`
    const model = new Model({
      label: spec.label, options: spec.labels, value: spec.labels[spec.index], limit: 0, accept: "",
    }, async ({ kind, names }) => {
      if (kind !== "look") return;
      const files = names.map((name) => fetch(spec.looks[spec.labels.indexOf(name)]));
      const looks = await Promise.all(files.map(async (file) => (await file).arrayBuffer()));
      model.tell({ kind: "pictures", names }, looks);
    });
    picker.render({ model, el: node });
    model.on("change:value", () => take(spec.labels.indexOf(model.get("value"))));
    state.place = (index) => model.set("value", spec.labels[index]);
    state.input = node.querySelector("[role=radiogroup]");
  } else if (spec.kind === "choice") {
    const options = spec.labels.map((label, i) => element("option", { value: i }, label));
    state.input = element("select", { id }, ...options);
    state.input.value = spec.index;
    state.input.addEventListener("change", () => take(Number(state.input.value)));
    state.place = (index) => { state.input.value = index; take(index); };
    node.append(element("label", { for: id }, spec.label), state.input);
    node.classList.toggle("nst-knob-wide", spec.labels.some((label) => label.length > WIDE));
  } else {
    state.input = element("input", { type: "checkbox", id });
    state.input.checked = spec.index === 1;
    state.input.addEventListener("change", () => take(Number(state.input.checked)));
    state.place = (index) => { state.input.checked = index === 1; take(index); };
    node.append(state.input, element("label", { for: id }, spec.label));
  }
  state.disable ??= (off) => { state.input.disabled = off; };
  return state;
}

/** All controls of an explorer in one row that wraps; `off` says what switches which one off. */
export function makeControls(specs, off, changed) {
  const byName = {};
  const adjust = () => {
    for (const [name, [by, marks]] of Object.entries(off)) {
      byName[name].disable(marks.includes(byName[by].index));
    }
  };
  const node = element("div", { class: "nst-knobs" });
  for (const spec of specs) {
    byName[spec.name] = control(spec, (name) => { adjust(); changed(name); });
    node.append(byName[spec.name].node);
  }
  adjust();
  return { node, byName };
}

/** What the controls are set to, in words. */
export function told(byName) {
  return Object.values(byName).filter(({ input }) => !input.disabled)
    .map(({ spec, index }) => `${spec.label}: ${spec.labels[index]}`).join(", ");
}
