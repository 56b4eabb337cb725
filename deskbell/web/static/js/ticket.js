// The ticket's page: properties that are saved as they are changed, pictures, the message on its way, the history.
import "./past.js";
import { exchange, fetchPage } from "./live-page.js";

const PARTS = ["ticket-head", "thread"];
export const refresh = async (parts = PARTS) => {
  const page = await fetchPage();
  for (const id of page ? parts : []) {
    const [shown, fresh] = [document.getElementById(id), page.getElementById(id)];
    if (shown && fresh && !shown.isEqualNode(fresh)) await exchange(shown, fresh);
  }
  return page;
};

// One field at a time. `was_` goes along, so that a change of somebody else is seen and not undone.
const pause = new Map();
document.addEventListener("change", ({ target }) => {
  if (!target.closest("#change") || !target.name) return;
  clearTimeout(pause.get(target.name));
  pause.set(target.name, setTimeout(() => keep(target), target.type === "datetime-local" ? 900 : 0));
});
document.addEventListener("submit", (event) => event.target.id === "change" && (event.preventDefault(), event.stopPropagation()), true);

const keep = async (control, { undoable = true } = {}) => {
  const form = control.form;
  const was = form.elements[`was_${control.name}`].value;
  if (control.value === was) return;
  const body = new FormData();
  for (const name of ["csrf_token", control.name, `was_${control.name}`]) body.set(name, form.elements[name].value);
  control.setAttribute("aria-busy", "true");
  complain(control, "");
  let answer = null;
  let reason = form.dataset.failed;
  try {
    const response = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" } });
    if (response.ok) answer = await response.json();
    else reason = (await response.json()).detail;
  } catch {
    // the connection is lost
  }
  control.removeAttribute("aria-busy");
  if (!answer) {
    complain(control, reason);
    show(control, was);
    return;
  }
  for (const [name, value] of Object.entries(answer)) {
    const field = form.elements[name];
    if (!field) continue;
    form.elements[`was_${name}`].value = value;
    show(field, value);
  }
  const label = form.querySelector(`label[for="${control.id}"]`).textContent;
  const value = control.selectedOptions?.[0].text ?? control.value.replace("T", " ");
  toast(`${label}: ${value}`, undoable && { text: form.dataset.undo, act: () => (control.focus(), show(control, was), keep(control, { undoable: false })) });
  refresh();
};
const show = (field, value) => {
  field.value = value;
  for (const option of field.options ?? []) option.defaultSelected = option.value === value;
  if (!field.options) field.defaultValue = value;
};
const complain = (control, words) => {
  const id = `${control.id}-error`;
  document.getElementById(id)?.remove();
  control.toggleAttribute("aria-invalid", Boolean(words));
  if (!words) return control.removeAttribute("aria-describedby");
  const note = document.createElement("p");
  Object.assign(note, { id, className: "field-error small", textContent: words });
  note.setAttribute("role", "alert");
  control.setAttribute("aria-invalid", "true");
  control.setAttribute("aria-describedby", id);
  control.after(note);
};

// What was changed before this module had come, or before a lost connection was back.
const changed = () => [...(document.getElementById("change")?.elements ?? [])].filter(({ name, form, value }) => form.elements[`was_${name}`] && form.elements[`was_${name}`].value !== value);
changed().forEach((control) => keep(control));

let fading;
export const toast = (words, action) => {
  document.getElementById("toast")?.remove();
  const note = document.createElement("div");
  Object.assign(note, { id: "toast", className: "toast panel" });
  note.setAttribute("role", "status");
  const text = document.createElement("bdi");
  text.textContent = words;
  note.append(text);
  if (action) {
    const button = document.createElement("button");
    Object.assign(button, { className: "button", type: "button", textContent: action.text });
    button.addEventListener("click", () => (note.remove(), action.act()));
    button.dataset.key = "z";
    note.append(button);
  }
  document.body.append(note);
  clearTimeout(fading);
  fading = setTimeout(() => note.matches(":hover, :focus-within") || note.remove(), 8000);
};

// Pictures open large, above the page.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-image]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const dialog = document.getElementById("picture");
  dialog.querySelector("img").src = link.href;
  dialog.querySelector("img").alt = link.querySelector("bdi").textContent;
  dialog.showModal();
});

// The message on its way: seconds count down, then the thread is fetched until it is there.
let sendAt = "";
let until = 0;
let tries = 0;
const tick = async () => {
  const state = document.getElementById("waiting-state");
  if (!state) return setTimeout(tick, 500);
  if (state.dataset.sendAt !== sendAt) [sendAt, until, tries] = [state.dataset.sendAt, performance.now() + 1000 * state.dataset.left, 0];
  const left = Math.ceil((until - performance.now()) / 1000);
  if (left > 0) {
    state.textContent = state.dataset.counting.replace("{seconds}", left);
    return setTimeout(tick, 250);
  }
  state.textContent = tries < 10 ? state.dataset.due : state.dataset.late;
  tries += 1;
  const page = document.hidden ? null : await refresh(["ticket-head", "thread", "properties"]);
  if (page && !page.getElementById("waiting")) {
    const problem = page.querySelector("#composer #reply-error");
    if (problem && !document.getElementById("content").value.trim()) location.reload();
  }
  setTimeout(tick, tries < 10 ? 700 : 5000);
};
tick();
