// In the head of a page with the painter at its top: its network is loaded before the page is laid
// out, unless the visitor saves data. `networks.js` goes on with this worker.
{
  const { saveData, effectiveType } = navigator.connection ?? {};
  if (!saveData && !/2g$/.test(effectiveType)) {
    const worker = new Worker("MOVING/worker.js", { type: "module" });
    worker.onerror = () => { delete globalThis.nstWorker; };
    worker.postMessage({ kind: "warm", id: 0, network: { name: "NETWORK" } });
    globalThis.nstWorker = worker;
  }
}
