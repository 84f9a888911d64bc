// 元 or 万元: how amounts are shown, remembered on this computer. The amounts themselves never change.
const KEY = "shouxin.unit";
const remembered = () => { try { return localStorage.getItem(KEY) ?? "1"; } catch { return "1"; } };
const remember = (unit) => { try { localStorage.setItem(KEY, unit); } catch { /* a private window forgets */ } };

// Digits are counted as integers of 0.01, never as floating numbers: what stands on the page is what stands in the books.
export function shown(text, unit) {
  const [, sign, whole, part = ""] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text) ?? [];
  if (whole === undefined) return null;
  let cents = BigInt(whole + part.padEnd(2, "0").slice(0, 2)) + (Number(part[2] ?? 0) >= 5 ? 1n : 0n);
  const by = BigInt(unit);
  cents = (cents + by / 2n) / by;
  const digits = cents.toString().padStart(3, "0");
  const grouped = digits.slice(0, -2).replace(/\B(?=(\d{3})+$)/g, ",");
  return `${sign && cents ? "−" : ""}${grouped}.${digits.slice(-2)}`;
}

function show(from, unit) {
  from.querySelectorAll("[data-amount]").forEach((cell) => {
    const text = shown(cell.dataset.amount, unit);
    if (text !== null && cell.lastChild) cell.lastChild.textContent = text;
    unit === "1" ? cell.removeAttribute("title") : (cell.title = shown(cell.dataset.amount, "1") ?? "");
  });
  from.querySelectorAll("[data-unit]").forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.unit === unit)));
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-unit]");
  if (!button) return;
  remember(button.dataset.unit);
  show(document, button.dataset.unit);
});

export function units(from) {
  from.querySelectorAll("[data-units]").forEach((choice) => (choice.hidden = false));
  if (remembered() !== "1") show(from, remembered());
}
