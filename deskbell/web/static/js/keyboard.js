// The keys of the workspace. What each does is read from the help (#keys), which "?" shows; none works while one types.
export const typing = (element) =>
  element.closest?.("input:not([type=checkbox], [type=radio], [type=submit], [type=button]), textarea, select, [contenteditable]");

const rows = () => [...document.querySelectorAll("#tickets tbody tr")];
const rowOf = (element) => element?.closest?.("#tickets tbody tr");
const link = (row) => row?.querySelector(".title a");
const tick = (row) => row?.querySelector(".pick input");
let last = null; // the row that had the focus last
let anchor = null; // where a range of rows begins

document.addEventListener("focusin", ({ target }) => (last = rowOf(target) ?? last));
document.addEventListener("click", ({ target }) => target.matches(".pick input") && (anchor = rowOf(target)));

const current = () => (last?.isConnected ? last : null);
const step = (by) => {
  const all = rows();
  const here = all.indexOf(current());
  const next = all[Math.min(Math.max(here + by, 0), all.length - 1)];
  link(next)?.focus();
  next?.scrollIntoView({ block: "nearest" });
};
const set = (row, checked) => {
  const box = tick(row);
  if (!box || box.checked === checked) return;
  box.checked = checked;
  box.dispatchEvent(new Event("change", { bubbles: true }));
};

const acts = {
  search: () => document.querySelector("#q, input[type=search]")?.select(),
  palette: () => {
    const dialog = document.querySelector("#palette");
    if (!dialog || dialog.open) return dialog?.close();
    document.querySelectorAll("dialog[open]").forEach((other) => other.close());
    dialog.querySelector("input").value = "";
    dialog.showModal(); // at once: what is typed while the module comes must not be taken for keys
    import("./palette.js").then((module) => module.refresh());
  },
  help: () => document.querySelector("#keys").showModal(),
  leave: () => rows().forEach((row) => set(row, false)),
  next: () => step(1),
  previous: () => step(-1),
  open: () => link(current())?.click(),
  select: () => {
    anchor = current();
    set(anchor, !tick(anchor)?.checked);
  },
  range: () => {
    const all = rows();
    const ends = [all.indexOf(anchor ?? current()), all.indexOf(current())].sort((a, b) => a - b);
    if (ends[0] >= 0) all.slice(ends[0], ends[1] + 1).forEach((row) => set(row, true));
  },
  page: () => rows().forEach((row) => set(row, true)),
  view: (key) => document.querySelector(`.rail [data-view="${key}"]`)?.click(),
};
const ofList = ["next", "previous", "open", "select", "range", "page"];

// Press what a page has marked with data-key. In the list it is for what is ticked, or else for the row at hand.
const press = (key) => {
  const places = [...document.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)];
  if (places.some((place) => place.closest("#bulk")) && !document.querySelector("#tickets [name=ids]:checked")) set(current(), true);
  const place = places.findLast((it) => it.checkVisibility()); // of two that can be undone, what was done later
  if (!place) return false;
  typing(place) ? place.focus() : place.click();
  return true;
};

const named = ({ key, ctrlKey, metaKey, shiftKey }) => {
  const plain = /^[A-Z]$/i.test(key) ? (shiftKey ? `Shift+${key.toLowerCase()}` : key.toLowerCase()) : key;
  return ctrlKey || metaKey ? `Mod+${plain}` : plain;
};

const run = ({ go, press: place, act = "" }, key) => {
  const [name, detail] = act.split(":");
  if (go) return location.assign(go), true;
  if (place) return press(place);
  if (ofList.includes(name) && !rows().length) return false;
  if (key === "Enter" || (key.startsWith("Arrow") && !rowOf(document.activeElement))) return false; // as the browser does
  return acts[name]?.(detail), true;
};

let begun = "";
let clock;
document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.altKey || event.isComposing) return;
  const key = named(event);
  const busy = typing(event.target);
  if (busy && key === "Escape" && !event.target.closest("dialog")) return event.target.blur();
  if ((busy && key !== "Mod+k") || (document.querySelector("dialog[open]") && key !== "Mod+k")) return;
  const keys = begun ? `${begun} ${key}` : key;
  const table = [...document.querySelectorAll("#keys [data-keys]")];
  const found = table.find(({ dataset }) => dataset.keys === keys || dataset.also === keys);
  begun = "";
  clearTimeout(clock);
  if (found) {
    if (run(found.dataset, key)) event.preventDefault();
  } else if (table.some(({ dataset }) => dataset.keys.startsWith(`${key} `))) {
    begun = key;
    clock = setTimeout(() => (begun = ""), 1500);
  } else if (!table.length && key === "/") {
    event.preventDefault();
    acts.search();
  }
});

document.addEventListener("click", ({ target }) => target.closest("[data-action=show-keys]") && acts.help());
