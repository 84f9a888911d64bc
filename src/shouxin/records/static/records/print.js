// One button: print what stands on the page.
document.querySelector("[data-print]")?.addEventListener("click", () => window.print());
