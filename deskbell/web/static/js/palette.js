// The command palette: tickets, people, views and actions, found by the server as one types.
import { combobox } from "./combobox.js";

const dialog = document.querySelector("#palette");
const input = dialog.querySelector("input");
const list = dialog.querySelector("[role=listbox]");
const status = dialog.querySelector("[role=status]");

const ask = async () => {
  const response = await fetch(`${dialog.dataset.from}?${new URLSearchParams({ q: input.value })}`, { headers: { Accept: "application/json" } });
  return response.ok ? (await response.json()).groups : null;
};
const box = combobox(input, list, {
  ask,
  take: ({ href }, event) => (event.ctrlKey || event.metaKey ? window.open(href) : location.assign(href)),
  say: (count) => (status.textContent = count ? status.dataset.found.replace("%", count) : status.dataset.none),
  eager: true,
  wait: 60,
});
dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());

export const { refresh } = box;
