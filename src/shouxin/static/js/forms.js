// Forms: sent once however often one clicks; a warning before unsaved writing is lost; selects that can be searched.
const all = (selector, from = document) => [...from.querySelectorAll(selector)];
const changed = new Set();

document.addEventListener("submit", (event) => {
  const form = event.target;
  changed.delete(form);
  if (event.defaultPrevented || form.method !== "post") return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "1";
  // After this turn, so that the button's own name and value still travel with the form.
  setTimeout(() => all("button:not([type=button])", form).forEach((button) => button.setAttribute("aria-busy", "true")));
  setTimeout(() => again(form), 15000);
});

function again(form) {
  delete form.dataset.sent;
  all("[aria-busy=true]", form).forEach((button) => button.removeAttribute("aria-busy"));
}

// Back in the browser's memory, or answered by htmx in place: the form can be sent again.
window.addEventListener("pageshow", () => all("form[data-sent]").forEach(again));
document.addEventListener("htmx:finally:request", () => all("form[data-sent]").forEach(again));

document.addEventListener("input", (event) => {
  const form = event.target.closest("form[data-unsaved]");
  if (form) changed.add(form);
});
window.addEventListener("beforeunload", (event) => {
  if ([...changed].some((form) => form.isConnected)) event.preventDefault();
});

// A select with data-pick is searched by typing; with data-pick-from="address" its choices come from there (?q=).
let library = null;

function tomSelect() {
  const here = new URL("../vendor/tom-select/", import.meta.url);
  library ??= new Promise((done, failed) => {
    const style = Object.assign(document.createElement("link"), { rel: "stylesheet", href: new URL("tom-select.min.css", here) });
    const script = Object.assign(document.createElement("script"), { src: new URL("tom-select.min.js", here), onload: () => done(window.TomSelect), onerror: failed });
    document.head.prepend(style);
    document.head.append(script);
  });
  return library;
}

async function pick(select) {
  select.dataset.ready = "1";
  const TomSelect = await tomSelect(), address = select.dataset.pickFrom;
  const load = address && {
    valueField: "value", labelField: "text", searchField: [],
    load: (query, done) => fetch(`${address}?q=${encodeURIComponent(query)}`, { headers: { Accept: "application/json" } })
      .then((answer) => answer.json()).then((answer) => done(answer.items ?? answer), () => done()),
  };
  new TomSelect(select, { maxOptions: 200, plugins: select.multiple ? ["remove_button"] : [], ...load });
}

export function forms(from) {
  all("select[data-pick]:not([data-ready])", from).forEach(pick);
}
