// Below each question that asks for a prediction: a place to write it down, beside the answer later.

import { element } from "./host.js";

const ASKS = /^Predict/;

/** What is written stays in this browser, where that is allowed. */
const kept = {
  get(key) { try { return localStorage.getItem(key) ?? ""; } catch { return ""; } },
  set(key, value) { try { localStorage.setItem(key, value); } catch { /* it is there until the page goes */ } },
};

const after = (a, b) => Boolean(a.compareDocumentPosition(b) & Node.DOCUMENT_POSITION_FOLLOWING);

function box(quote, answer, number) {
  const key = `nst-prediction ${location.pathname} ${number}`;
  const id = `nst-prediction-${number}`;
  const text = element("textarea", { id, rows: "2" });
  const node = element("div", { class: "nst nst-prediction" },
    element("label", { for: id }, "Your prediction"), text);
  text.value = kept.get(key);
  text.addEventListener("input", () => kept.set(key, text.value));
  if (answer) {
    const said = element("p", { class: "nst-said" });
    answer.querySelector("summary").after(said);
    const open = element("button", { type: "button" }, "Compare with the answer");
    open.addEventListener("click", () => {
      answer.open = true;
      answer.querySelector("summary").focus();
    });
    const tell = () => {
      said.textContent = text.value.trim() ? `You predicted: ${text.value.trim()}` : "";
      said.hidden = !said.textContent;
    };
    text.addEventListener("input", tell);
    tell();
    node.append(open);
  }
  quote.append(node);
}

const quotes = [...document.querySelectorAll("blockquote")]
  .filter((quote) => ASKS.test(quote.querySelector("strong")?.textContent ?? ""));
const answers = [...document.querySelectorAll("details")]
  .filter((each) => each.querySelector("summary") && !each.closest(".cell_input, .toggle"));
quotes.forEach((quote, i) => {
  const next = quotes[i + 1];
  const answer = answers.find((each) => after(quote, each));
  box(quote, answer && (!next || after(answer, next)) ? answer : null, i + 1);
});
