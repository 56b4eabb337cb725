// Fill in the counts of the rail and of the list once the page is there, and again after changes, not too often.
const EVERY = 4000;
let last = 0;
let clock;

const read = async (address) => {
  const response = await fetch(address, { headers: { Accept: "application/json" } });
  return response.ok ? response.json() : {};
};
const fill = async () => {
  clearTimeout(clock);
  clock = undefined;
  last = Date.now();
  const rail = document.querySelector("[data-counts]");
  const total = document.querySelector("[data-total]");
  const [counts, found] = await Promise.all([rail ? read(rail.dataset.counts) : {}, total ? read(total.dataset.total) : {}]);
  document.querySelectorAll("[data-count]").forEach((place) => {
    if (counts[place.dataset.count] !== undefined) place.textContent = counts[place.dataset.count];
  });
  if (total && found.total !== undefined) {
    total.textContent = (found.total === "1" ? total.dataset.one : total.dataset.many).replace("%", found.total);
    document.querySelectorAll("[data-total-here]").forEach((place) => (place.textContent = `(${found.total})`));
  }
};
const soon = () => {
  if (document.visibilityState === "visible") clock ??= setTimeout(fill, Math.max(0, last + EVERY - Date.now()));
};
document.addEventListener("deskbell:changed", soon);
document.addEventListener("deskbell:views", soon);
document.addEventListener("visibilitychange", () => Date.now() - last > 60_000 && soon());
fill().catch(() => {});

// What came of a change is told once: reloading does not tell it again.
const here = new URL(location.href);
if (here.searchParams.has("done")) {
  here.searchParams.delete("done");
  history.replaceState(history.state, "", here);
}
