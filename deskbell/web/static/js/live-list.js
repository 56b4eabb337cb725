// The list of tickets: rows change where they are; what would make them jump waits behind a button.
import { calmly, exchange, fetchPage, fill, textOf } from "./live-page.js";

const table = () => document.querySelector(".tickets tbody");
const rowsIn = (root) => new Map([...root.querySelectorAll(".tickets tr[data-ticket]")].map((row) => [Number(row.dataset.ticket), row]));
const isEarly = () => !new URL(location).searchParams.has("cursor");
let others = new Set();

const refresh = async () => {
  const page = await fetchPage();
  if (!page) return;
  const [shown, fresh, news] = [rowsIn(document), rowsIn(page), others];
  others = new Set();
  for (const [id, row] of shown) {
    const now = fresh.get(id);
    row.classList.toggle("is-gone", !now);
    if (!now || row.isEqualNode(now)) continue;
    await exchange(row, now);
    if (news.has(id)) row.classList.add("is-new");
  }
  offer([...fresh.keys()].filter((id) => !shown.has(id)).length, page);
  document.dispatchEvent(new CustomEvent("deskbell:rows"));
};

const offer = (count, page) => {
  const button = document.querySelector("#live [data-live-action=show-new]");
  button.hidden = !count || !isEarly();
  button.textContent = fill(textOf(count === 1 ? "new-one" : "new-many"), { count });
  button.onclick = async () => {
    button.hidden = true;
    const [shown, fresh] = [document.querySelector("#main"), page.querySelector("#main")];
    await exchange(shown, fresh);
    scrollTo({ top: 0 });
    document.dispatchEvent(new CustomEvent("deskbell:rows"));
    table()?.querySelector("a[href]")?.focus({ preventScroll: true });
  };
};

// Rows that are shown follow at once, at most every three seconds; that others might have come in is looked up rarely.
let pause = 3000;
const ask = calmly(refresh, () => pause);

document.addEventListener("deskbell:changed", ({ detail }) => {
  if (!document.querySelector("[data-live-list], .tickets")) return;
  const shown = rowsIn(document);
  const isHere = detail.everything || detail.tickets.some(({ id, new: isNew }) => isNew || shown.has(id));
  pause = isHere ? 3000 : 10_000;
  for (const id of detail.others) others.add(id);
  ask();
});
