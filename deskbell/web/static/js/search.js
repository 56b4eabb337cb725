// The search box completes the query language, remembers what was searched for, and goes to the place of an error.
import { combobox } from "./combobox.js";

const words = document.querySelector("#words")?.dataset ?? {};
const remembered = `deskbell.searches.${document.body.dataset.viewer}`;
const icons = { field: "filter", operator: "filter", flag: "check", value: "right", time: "clock", sort: "sort", keyword: "star", person: "person", tag: "tag", team: "team", organization: "organization" };
const recent = () => {
  try {
    return JSON.parse(localStorage.getItem(remembered)) ?? [];
  } catch {
    return [];
  }
};

// Places count characters, not UTF-16 units.
const completions = async (text, cursor) => {
  const response = await fetch(`/api/v1/search/complete?${new URLSearchParams({ q: text, cursor })}`, { headers: { Accept: "application/json" } });
  return response.ok ? (await response.json()).items : [];
};
const attach = (input) => {
  const list = document.createElement("div");
  list.id = `${input.id}-offers`;
  list.className = "offers";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", words.completions ?? "");
  const status = document.createElement("span");
  status.className = "vh";
  status.setAttribute("role", "status");
  input.after(list, status);
  const isPeople = input.matches("[data-people]");

  const ask = async () => {
    const place = [...input.value.slice(0, input.selectionStart ?? input.value.length)].length;
    if (isPeople) {
      const prefix = "requester:";
      if (input.value.trim().length < 2) return [];
      const items = await completions(`${prefix}${input.value.trim()}`, [...prefix, ...input.value.trim()].length);
      return [{ name: "", items: items.filter(({ kind }) => kind === "person").map((it) => ({ ...it, icon: "person" })) }];
    }
    const groups = [];
    if (!input.value.trim() && input.id === "q" && recent().length) {
      groups.push({ name: words.recent, items: recent().slice(0, 6).map((text) => ({ label: text, insert: text, whole: true, icon: "history" })) });
    }
    const items = await completions(input.value, place);
    if (items.length) groups.push({ name: "", items: items.slice(0, 12).map((it) => ({ ...it, icon: icons[it.kind] })) });
    return groups;
  };
  const take = ({ insert, start, end, whole, label, detail }) => {
    if (isPeople) {
      input.value = label;
      const name = document.querySelector("#requester-name");
      if (name && !name.value) name.value = detail ?? "";
      return;
    }
    if (whole) return (input.value = insert), input.form.requestSubmit();
    const points = [...input.value];
    const isWhole = !/[:<>=]$/.test(insert);
    const rest = points.slice(end).join("");
    const before = points.slice(0, start).join("") + insert + (isWhole && !rest.startsWith(" ") ? " " : "");
    input.value = before + rest;
    input.setSelectionRange(before.length, before.length);
    input.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const say = (count) => (status.textContent = count ? (words.offers ?? "").replace("%", count) : "");
  return combobox(input, list, { ask, take, say });
};

const known = new WeakMap();
document.addEventListener("focusin", ({ target }) => {
  if (!target.matches?.("body[data-viewer] #q, [data-complete], [data-people]") || !document.querySelector("#words")) return;
  if (!known.has(target)) known.set(target, attach(target));
  if (target.id === "q" && !target.value) known.get(target).refresh();
});
document.addEventListener("submit", ({ target }) => {
  const text = target.matches(".search") ? target.q.value.trim() : "";
  if (!text || !document.querySelector("#words")) return;
  localStorage.setItem(remembered, JSON.stringify([text, ...recent().filter((it) => it !== text)].slice(0, 20)));
});

const wrong = document.querySelector("#query-error");
const box = document.querySelector("#q");
if (wrong && box) {
  const points = [...box.value];
  const units = (count) => points.slice(0, count).join("").length;
  box.focus();
  box.setSelectionRange(units(wrong.dataset.position), units(wrong.dataset.end));
}
