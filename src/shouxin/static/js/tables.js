// Lists: walking by keys, ticking rows, choosing columns, a shadow under the frozen column.
const all = (selector, from = document) => [...from.querySelectorAll(selector)];

// Walking ----------------------------------------------------------------------------------------

const rows = () => all(".ledger[data-table] tbody tr").filter((each) => each.offsetParent !== null);
const current = () => document.querySelector(".ledger tr.is-current");

export const row = {
  step(by) {
    const list = rows(), at = list.indexOf(current());
    const next = list[Math.min(Math.max(at + by, 0), list.length - 1)];
    if (!next) return;
    current()?.classList.remove("is-current");
    next.classList.add("is-current");
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  },
  open() { current()?.querySelector("a[href]")?.click(); },
  tick() { current()?.querySelector("input[name=selected]")?.click(); },
};

// Ticking ----------------------------------------------------------------------------------------

function counted(form) {
  const ticks = all("input[name=selected]", form), on = ticks.filter((tick) => tick.checked);
  const bar = form.querySelector("[data-batch]"), words = bar.querySelector("[data-batch-count]");
  const everything = bar.querySelector("[data-batch-all]");
  const total = Number(bar.dataset.count);
  words.textContent = words.dataset.text.replace("{n}", everything?.querySelector("input").checked ? total : on.length);
  bar.hidden = on.length === 0;
  if (everything) {
    everything.hidden = on.length < ticks.length || total <= ticks.length;
    if (everything.hidden) everything.querySelector("input").checked = false;
  }
  ticks.forEach((tick) => tick.closest("tr").classList.toggle("is-ticked", tick.checked));
  const whole = form.querySelector("[data-tick-all]");
  if (whole) { whole.checked = on.length > 0 && on.length === ticks.length; whole.indeterminate = on.length > 0 && on.length < ticks.length; }
}

document.addEventListener("change", (event) => {
  const form = event.target.closest(".batch-form");
  if (!form) return;
  if (event.target.matches("[data-tick-all]")) all("input[name=selected]", form).forEach((tick) => (tick.checked = event.target.checked));
  counted(form);
});

// Columns ----------------------------------------------------------------------------------------

const read = (key) => { try { return JSON.parse(localStorage.getItem(key)); } catch { return null; } };
const write = (key, value) => { try { localStorage.setItem(key, JSON.stringify(value)); } catch { /* not remembered */ } };

function hide(table, hidden) {
  const heads = all("thead th", table);
  heads.forEach((head, at) => {
    if (!head.dataset.column) return;
    const away = hidden.includes(head.dataset.column);
    all("tr", table).forEach((line) => { if (line.cells[at]) line.cells[at].hidden = away; });
  });
}

function columns(table) {
  const menu = document.querySelector(`[data-columns-for="${table.dataset.table}"]`);
  if (!menu) return;
  const key = `shouxin.columns.${table.dataset.table}`, heads = all("thead th[data-column]", table);
  let hidden = read(key) ?? heads.filter((head) => "hidden" in head.dataset).map((head) => head.dataset.column);
  menu.hidden = false;
  menu.querySelector(".drop-panel").replaceChildren(...heads.slice(1).map((head) => {
    const label = document.createElement("label"), box = document.createElement("input");
    Object.assign(box, { type: "checkbox", className: "form-check-input", checked: !hidden.includes(head.dataset.column) });
    box.addEventListener("change", () => {
      hidden = hidden.filter((name) => name !== head.dataset.column).concat(box.checked ? [] : [head.dataset.column]);
      write(key, hidden);
      hide(table, hidden);
    });
    label.append(box, head.textContent.trim());
    return label;
  }));
  if (hidden.length) hide(table, hidden);
}

export function tables(from) {
  all(".ledger[data-table]", from).filter((table) => !table.dataset.ready).forEach((table) => {
    table.dataset.ready = "1";
    columns(table);
    const form = table.closest(".batch-form");
    if (form) counted(form);
  });
  all(".table-scroll", from).forEach((scroll) => {
    scroll.addEventListener("scroll", () => scroll.classList.toggle("is-scrolled", scroll.scrollLeft > 0), { passive: true });
  });
}
