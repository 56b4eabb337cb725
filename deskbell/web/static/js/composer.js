// The composer: what is typed is kept on the server as it is typed, and sending waits until it is there.
import { format } from "./formatting.js";
import "./mentions.js";
import { uploads } from "./uploads.js";

const form = document.querySelector("form.composer");
const text = form.elements.content;
const keeps = Boolean(form.dataset.draft);
const PAUSE = 600;
const AGAIN = 5000;
let dirty = false;
let leaving = false;
let saving = Promise.resolve();
let timer;

const state = (name) => {
  const place = document.getElementById("draft-state");
  if (place) place.textContent = place.dataset[name];
};
const fields = () => {
  const body = new FormData(form);
  body.delete("files");
  return body;
};
const touch = (pause = PAUSE) => {
  dirty = true;
  clearTimeout(timer);
  if (keeps) timer = setTimeout(save, pause);
};

const save = () => {
  clearTimeout(timer);
  saving = saving.then(async () => {
    if (!dirty || leaving) return;
    dirty = false;
    state("saving");
    try {
      const options = { method: "POST", body: fields(), headers: { Accept: "application/json" }, keepalive: document.hidden };
      const response = await fetch(form.dataset.draft, options);
      if (!response.ok) throw new Error(response.status);
      const { revision, replaced } = await response.json();
      form.elements.revision.value = revision;
      if (replaced) tell(replaced);
      if (!dirty) state("saved");
    } catch {
      state("failed");
      touch(AGAIN);
    }
  });
  return saving;
};

// Another window wrote to the same draft: what this one types counts, and the other text can be had back.
const tell = (replaced) => {
  form.querySelector(".replaced")?.remove();
  const note = document.getElementById("replaced-note").content.firstElementChild.cloneNode(true);
  note.classList.add("replaced");
  note.querySelector("pre").textContent = replaced;
  note.querySelector("button").addEventListener("click", () => {
    text.value = replaced;
    note.remove();
    touch();
    text.focus();
  });
  form.querySelector(".tools").before(note);
};

form.addEventListener("input", (event) => event.target.type !== "file" && touch());
form.addEventListener("change", (event) => event.target.type !== "file" && touch());
document.addEventListener("visibilitychange", () => document.hidden && keeps && dirty && save());

// A shortcut presses what says who reads it, and goes on to the text; arrows and the mouse stay where they are.
form.addEventListener("click", (event) => !event.isTrusted && event.target.name === "is_internal" && text.focus());

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target === text) {
    event.preventDefault();
    form.requestSubmit(form.querySelector(".send"));
  }
});

// A saving that is under way must not come in after the message was sent: it would be a draft again.
form.addEventListener("submit", async (event) => {
  if (leaving || !keeps || event.submitter?.dataset.action === "preview") return;
  event.preventDefault();
  event.stopPropagation();
  clearTimeout(timer);
  leaving = true;
  await Promise.all([saving, uploads.done()]);
  dirty = false;
  setTimeout(() => form.requestSubmit(event.submitter)); // not while this event is still under way: that does nothing
});
addEventListener("pageshow", () => (leaving = false));

addEventListener("beforeunload", (event) => {
  const unsent = keeps ? dirty : text.value !== text.defaultValue && !("sent" in form.dataset);
  if (unsent && !leaving) event.preventDefault();
});

form.querySelector('[data-action="preview"]')?.addEventListener("click", async (event) => {
  event.preventDefault();
  const [button, place] = [event.currentTarget, document.getElementById("preview")];
  const shown = button.getAttribute("aria-pressed") === "true";
  if (!shown) {
    const response = await fetch(form.dataset.preview, { method: "POST", body: fields() });
    if (!response.ok) return text.focus();
    place.innerHTML = await response.text();
  }
  place.hidden = shown;
  text.hidden = !shown;
  button.setAttribute("aria-pressed", String(!shown));
  if (shown) text.focus();
});

const toolbar = form.querySelector(".toolbar");
if (toolbar) {
  toolbar.hidden = false;
  toolbar.addEventListener("click", (event) => {
    const button = event.target.closest("[data-format]");
    if (button) format(text, button.dataset.format);
  });
}

if (keeps) uploads.start(form);
if (text.value !== text.defaultValue) touch(); // typed before this module had come
if ("unsaved" in form.dataset) {
  history.replaceState(null, "", form.dataset.address); // a refused form has no address of its own
  touch(0);
}
