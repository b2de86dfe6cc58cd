// Blind votes: two pictures of one content and style without names, and the ranking votes make.

import { element } from "./host.js";
import { ranking } from "./standing.js";

const WORDS = { left: "The left one", none: "Cannot say", right: "The right one" };

function shuffled(list) {
  const all = [...list];
  for (let i = all.length - 1; i > 0; i -= 1) {
    const j = Math.floor(Math.random() * (i + 1));
    [all[i], all[j]] = [all[j], all[i]];
  }
  return all;
}

export function render({ place, content, folder }) {
  const possible = Object.entries(content.pairs).flatMap(([pair, pictures]) => (
    pictures.flatMap((a, i) => pictures.slice(i + 1).map((b) => ({ pair, two: [a, b] })))));
  const votes = [];
  let waiting = [];
  let now = null;

  const question = element("p", { class: "nst-words", "aria-live": "polite" });
  const pictures = ["left", "right"].map((side) => {
    const image = element("img", { alt: `The ${side} picture` });
    return element("figure", {}, image);
  });
  const buttons = Object.entries(WORDS).map(([side, text]) => {
    const button = element("button", { type: "button" }, text);
    button.addEventListener("click", () => vote(side));
    return button;
  });
  const reveal = element("button", { type: "button" }, "Show the ranking");
  const table = element("div", { "aria-live": "polite" });

  const next = () => {
    if (!waiting.length) waiting = shuffled(possible);
    const { pair, two } = waiting.pop();
    now = { pair, two: shuffled(two) };
    question.textContent = `Which do you prefer? ${pair.replaceAll("_", " ")}. `
      + `Votes so far: ${votes.length}`;
    pictures.forEach((figure, i) => { figure.firstChild.src = new URL(now.two[i][1], folder); });
    reveal.disabled = !votes.length;
    place.dataset.shown = votes.length;
  };
  const vote = (side) => {
    const [first, second] = now.two.map(([name]) => name);
    votes.push({ first, second, winner: { left: first, right: second, none: null }[side] });
    next();
  };
  reveal.addEventListener("click", () => {
    for (const button of [...buttons, reveal]) button.disabled = true; // no longer blind
    const heads = ["", "contestant", "strength", "preferred to the average", "votes"];
    const rows = ranking(votes, content.prior).map(({ name, strength, error, seen }, i) => [
      i + 1, name, `${strength >= 0 ? "+" : ""}${strength.toFixed(2)} ± ${error.toFixed(2)}`,
      `${(100 / (1 + Math.exp(-strength))).toFixed(0)} %`, seen,
    ]);
    table.replaceChildren(element("table", {},
      element("thead", {}, element("tr", {}, ...heads.map((text) => element("th", {}, text)))),
      element("tbody", {}, ...rows.map((row) => (
        element("tr", {}, ...row.map((text) => element("td", {}, String(text)))))))));
  });

  place.replaceChildren(
    question, element("div", { class: "nst-shown" }, ...pictures),
    element("div", { class: "nst-ballot" }, ...buttons, reveal), table,
  );
  next();
}
