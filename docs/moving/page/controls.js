// Controls read from JSON: a slider (the notebooks' StepSlider), a list to choose from, a tick.

import { Model, element } from "./host.js";
import slider from "./step_slider.js";

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
  } else if (spec.kind === "choice") {
    const options = spec.labels.map((label, i) => element("option", { value: i }, label));
    state.input = element("select", { id }, ...options);
    state.input.value = spec.index;
    state.input.addEventListener("change", () => take(Number(state.input.value)));
    state.place = (index) => { state.input.value = index; take(index); };
    node.append(element("label", { for: id }, spec.label), state.input);
  } else {
    state.input = element("input", { type: "checkbox", id });
    state.input.checked = spec.index === 1;
    state.input.addEventListener("change", () => take(Number(state.input.checked)));
    state.place = (index) => { state.input.checked = index === 1; take(index); };
    node.append(state.input, element("label", { for: id }, spec.label));
  }
  return state;
}

/** All controls of an explorer in one row that wraps; `off` says what switches which one off. */
export function makeControls(specs, off, changed) {
  const byName = {};
  const adjust = () => {
    for (const [name, [by, marks]] of Object.entries(off)) {
      byName[name].input.disabled = marks.includes(byName[by].index);
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
