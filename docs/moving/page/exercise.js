// An exercise whose answer is two lists of numbers, judged in the page.

import { element } from "./host.js";
import { judge } from "./rules.js";

/** "1, 2" and "[1, 2]" are the same list. */
function parsed(text) {
  const list = text.trim();
  if (!list) throw new SyntaxError("no list");
  const nested = /^\[\s*\[/.test(list) || /^\[[^[]*\]$/.test(list);
  const value = JSON.parse(nested ? list : `[${list}]`);
  if (!value.flat().every((each) => Number.isFinite(each))) throw new SyntaxError("not numbers");
  return value;
}

export function render({ place, content }) {
  const verdict = element("p", { class: "nst-words", "aria-live": "polite" });
  const told = new Set();
  const inputs = ["x", "y"].map((name) => {
    const id = `nst-exercise-${content.rule}-${name}`;
    const input = element("input", { type: "text", id, placeholder: content.example });
    return { input, node: element("div", { class: "nst-knob-choice" },
      element("label", { for: id }, name), input) };
  });
  const answer = () => {
    let lists;
    try {
      lists = inputs.map(({ input }) => parsed(input.value));
    } catch {
      verdict.textContent = `not yet: two lists are wanted, each such as ${content.example}`;
      return;
    }
    const { said, more } = judge(content.rule, ...lists);
    verdict.textContent = told.has(said) && more ? `${said} (a plainer hint: ${more})` : said;
    told.add(said);
  };
  const form = element("form", { class: "nst-exercise" }, ...inputs.map(({ node }) => node),
    element("button", { type: "submit" }, "Judge"));
  form.addEventListener("submit", (event) => { event.preventDefault(); answer(); });
  place.replaceChildren(form, verdict);
}
