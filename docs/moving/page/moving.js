// Finds the places for explorers on a page, and fills each when it comes into view.

const HERE = new URL(".", import.meta.url);

async function fill(place) {
  const folder = new URL(`${place.dataset.explorer}/`, HERE);
  place.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(new URL("explorer.json", folder));
    if (!answer.ok) throw new Error(`${answer.url}: ${answer.status}`);
    const content = await answer.json();
    const { render } = await import(new URL(`${content.kind}.js`, HERE));
    place.classList.add("nst");
    await render({ place, content, folder });
    place.dataset.ready = "true";
  } catch (error) {
    place.textContent = `This explorer could not be loaded: ${error.message}`;
    throw error;
  } finally {
    place.removeAttribute("aria-busy");
  }
}

const seen = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    seen.unobserve(target);
    fill(target);
  }
}, { rootMargin: "300px" });

for (const place of document.querySelectorAll(".nst-moving[data-explorer]")) seen.observe(place);
