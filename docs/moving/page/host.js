// What a component of the notebooks sees of its widget, without a kernel behind it.

export class Model {
  /** `answer(message, buffers)` is called with what the component sends to Python. */
  constructor(state, answer = () => {}) {
    this.state = { ...state };
    this.calls = new Map();
    this.answer = answer;
  }

  get(name) { return this.state[name]; }

  set(name, value) {
    if (this.state[name] === value) return;
    this.state[name] = value;
    this.fire(`change:${name}`);
  }

  save_changes() {}

  on(names, call) {
    for (const name of names.split(" ")) {
      this.calls.set(name, [...(this.calls.get(name) ?? []), call]);
    }
  }

  off(names, call) {
    for (const name of names.split(" ")) {
      this.calls.set(name, (this.calls.get(name) ?? []).filter((each) => each !== call));
    }
  }

  send(message, _callbacks, buffers = []) { this.answer(message, buffers); }

  /** Say something to the component, as Python's `send` does. */
  tell(message, buffers = []) { this.fire("msg:custom", message, buffers); }

  fire(name, ...values) { for (const call of this.calls.get(name) ?? []) call(...values); }
}

export async function bytesOf(canvas, type = "image/png", quality = 0.92) {
  const blob = await new Promise((resolve) => { canvas.toBlob(resolve, type, quality); });
  return new Uint8Array(await blob.arrayBuffer());
}

export function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}
