// The open ticket: what is new in it appears in its place; what is being written stays as it is.
import { announce, calmly, exchange, fetchPage } from "./live-page.js";

const PARTS = ["ticket-head", "thread", "readers", "properties"];
const number = () => document.querySelector(".ticket[data-ticket]:not([data-past])")?.dataset.ticket;
const messages = () => [...document.querySelectorAll("#thread article[id]")].map((article) => article.id);
let isNews = false;

const refresh = async () => {
  const page = await fetchPage();
  if (!page || !number()) return;
  const before = new Set(messages());
  for (const id of PARTS) {
    const [shown, fresh] = [document.getElementById(id), page.getElementById(id)];
    if (shown && fresh && !shown.isEqualNode(fresh)) await exchange(shown, fresh);
  }
  const added = messages().filter((id) => !before.has(id));
  if (isNews && added.length) mark(added);
  isNews = false;
};
const mark = (ids) => {
  for (const id of ids) document.getElementById(id).classList.add("is-new");
  const name = document.querySelector(`#${CSS.escape(ids.at(-1))} header b bdi`)?.textContent ?? "";
  announce("message", { name });
};
const ask = calmly(refresh, () => 700);

document.addEventListener("deskbell:changed", ({ detail }) => {
  if (!number()) return;
  const changed = detail.tickets.find((ticket) => ticket.number === number());
  if (!changed && !detail.everything) return;
  isNews ||= detail.everything || detail.others.includes(changed.id);
  ask();
});
