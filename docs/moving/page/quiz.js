// A quiz: one choice for each question of the text above, judged here.

import { element } from "./host.js";

const RIGHT = "✔ right";
const WRONG = "not right: think again, then unfold the answer";

async function digest(text) {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function render({ place, content }) {
  const right = new Set();
  const score = element("p", { class: "nst-words", "aria-live": "polite" });
  const tell = () => {
    score.textContent = `${right.size} of ${content.questions.length} right`;
    place.dataset.shown = right.size;
  };
  const fields = content.questions.map(({ choices, right: wanted }, i) => {
    const verdict = element("output", { "aria-live": "polite" });
    const name = `nst-quiz-${content.number}-${i + 1}`;
    const options = choices.map(([letter, text]) => {
      const input = element("input", { type: "radio", name, value: letter });
      input.addEventListener("change", async () => {
        const holds = await digest(`${content.number}/${i + 1}/${letter}`) === wanted;
        verdict.textContent = holds ? RIGHT : WRONG;
        if (holds) right.add(i);
        else right.delete(i);
        tell();
      });
      return element("label", {}, input, ` ${letter}) ${text}`);
    });
    return element("fieldset", {}, element("legend", {}, `Question ${i + 1}`), ...options, verdict);
  });
  place.classList.add("nst-quiz");
  place.replaceChildren(...fields, score);
  tell();
}
