// What every page does: menus, keys, dialogs, drawer, toasts, the customer search. Everything also works without it.
import { units } from "./units.js";
import { tables, row } from "./tables.js";
import { forms } from "./forms.js";

const $ = (selector, from = document) => from.querySelector(selector);
const all = (selector, from = document) => [...from.querySelectorAll(selector)];
const told = (key) => $("#told")?.dataset[key] ?? "";

// Toasts -----------------------------------------------------------------------------------------

export function tell(text) {
  const note = $("#toast-template").content.firstElementChild.cloneNode(true);
  $("div", note).textContent = text;
  $("#toasts").append(note);
}

function fade(note) {
  if (note.matches(".toast-success, .toast-info")) setTimeout(() => note.remove(), 6000);
}

// Dialogs and the drawer -------------------------------------------------------------------------

function openDrawer(address) {
  const drawer = $("#drawer"), body = $("#drawer-body");
  body.replaceChildren();
  $("[data-drawer-full]", drawer).href = address;
  drawer.showModal();
  window.htmx.ajax("GET", address, { target: body, swap: "innerHTML" });
}

document.addEventListener("click", (event) => {
  const plain = !event.defaultPrevented && event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey;
  const at = (selector) => event.target.closest(selector);
  if (at("[data-dismiss]")) at("[data-dismiss]").parentElement.remove();
  if (at("[data-close]")) at("dialog")?.close();
  if (at("[data-open]")) document.getElementById(at("[data-open]").dataset.open)?.showModal();
  if (at("a[data-drawer]") && plain && window.htmx && !at("dialog")) {
    event.preventDefault();
    openDrawer(at("a[data-drawer]").href);
  }
  if (event.target.matches("dialog") && !$("form", event.target)) event.target.close();
  all("details.drop[open]").filter((menu) => !menu.contains(event.target)).forEach((menu) => (menu.open = false));
});

// Answers of htmx that are no page ---------------------------------------------------------------

const WORDS = { 403: "forbidden", 404: "missing", 409: "moved" };

async function refused(response) {
  const text = await response.text();
  if ((response.headers.get("content-type") ?? "").includes("json")) {
    const problem = JSON.parse(text);
    return [problem.detail, problem.cure].filter(Boolean).join(" ");
  }
  return new DOMParser().parseFromString(text, "text/html").querySelector("[data-why]")?.textContent.trim();
}

document.addEventListener("htmx:response:error", async (event) => {
  const response = event.detail?.ctx?.response;
  if (!response || response.status === 422) return;
  let why = "";
  try {
    const raw = response.raw?.bodyUsed === false ? response.raw : new Response(event.detail.ctx.text ?? "", { headers: response.headers });
    why = await refused(raw);
  } catch { /* the words of the status say it */ }
  tell(why || told(WORDS[response.status] ?? "failed"));
});
document.addEventListener("htmx:error", (event) => {
  if (event.detail?.error?.name !== "AbortError") tell(told("offline"));
});

// The customer search ----------------------------------------------------------------------------

function search() {
  const input = $("#search"), list = $("#suggestions");
  if (!input || !list) return;
  const found = () => all("[role=option]", list);
  const chosen = () => found().findIndex((option) => option.getAttribute("aria-selected") === "true");
  const choose = (index) => {
    const options = found();
    options.forEach((option, at) => option.setAttribute("aria-selected", String(at === index)));
    input.setAttribute("aria-activedescendant", options[index]?.id ?? "");
    options[index]?.scrollIntoView({ block: "nearest" });
  };
  list.addEventListener("htmx:after:swap", () => input.setAttribute("aria-expanded", String(found().length > 0)));
  input.addEventListener("input", () => { if (!input.value.trim()) list.replaceChildren(); });
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const last = found().length - 1;
    if (event.key === "ArrowDown") { event.preventDefault(); choose(Math.min(chosen() + 1, last)); }
    if (event.key === "ArrowUp") { event.preventDefault(); choose(Math.max(chosen() - 1, 0)); }
    if (event.key === "Enter" && chosen() >= 0) { event.preventDefault(); location.href = found()[chosen()].href; }
    if (event.key === "Escape") { list.replaceChildren(); input.blur(); }
  });
}

// Keys -------------------------------------------------------------------------------------------

const typing = (element) => element.closest("input:not([type=checkbox]), textarea, select, [contenteditable]");
let afterG = 0;

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") all("details.drop[open]").forEach((menu) => (menu.open = false));
  if (event.metaKey || event.ctrlKey || event.altKey || event.isComposing || typing(event.target) || $("dialog[open]")) return;
  const second = Date.now() - afterG < 1200;
  afterG = 0;
  if (second && event.key === "h" && told("home")) location.href = told("home");
  else if (second && event.key === "c" && told("customers")) location.href = told("customers");
  else if (event.key === "g") afterG = Date.now();
  else if (event.key === "/" && $("#search")) { event.preventDefault(); $("#search").focus(); $("#search").select(); }
  else if (event.key === "?") $("#keys")?.showModal();
  else if (event.key === "j") row.step(1);
  else if (event.key === "k") row.step(-1);
  else if (event.key === "x") row.tick();
  else if (event.key === "Enter" && event.target.matches("tr, body, main")) row.open();
});

// Begin ------------------------------------------------------------------------------------------

function dress(from = document) {
  units(from);
  tables(from);
  forms(from);
  all(".toast-note", from).forEach(fade);
  if ($("[data-chart]", from)) import("./charts.js").then(({ charts }) => charts(from));
}

const menu = $("#menu-toggle");
menu?.addEventListener("change", () => $(".menu-button")?.setAttribute("aria-expanded", String(menu.checked)));
$(".menu-button")?.setAttribute("tabindex", "0");
$(".menu-button")?.setAttribute("role", "button");
$(".menu-button")?.addEventListener("keydown", (event) => {
  if (event.key === "Enter" || event.key === " ") { event.preventDefault(); menu.click(); }
});
document.addEventListener("htmx:after:swap", () => dress());
search();
dress();
