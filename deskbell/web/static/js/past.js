// The history is fetched when it is opened; a slider moves through the ticket's past.
import { exchange } from "./live-page.js";

const fetchPart = async (url) => {
  const response = await fetch(url, { headers: { Accept: "text/html" } });
  return response.ok ? new DOMParser().parseFromString(await response.text(), "text/html") : null;
};

const fill = async () => {
  const history = document.getElementById("history");
  if (!history?.open) return;
  const page = await fetchPart(history.dataset.url);
  const fresh = page?.querySelector(".history.whole");
  if (fresh) history.querySelector(".acts").replaceChildren(...fresh.childNodes);
};
document.addEventListener("toggle", (event) => event.target.id === "history" && fill(), true);
document.addEventListener("htmx:after:swap", () => document.querySelector("#history[open] .acts:empty") && fill());

let timer;
const go = async (slider) => {
  const { url } = slider.list.options[slider.value].dataset;
  const page = await fetchPart(url);
  if (!page || slider.list.options[slider.value].dataset.url !== url) return;
  history.replaceState(null, "", url);
  for (const id of ["ticket-head", "thread", "properties", "past-words", "past-steps"]) {
    const [shown, fresh] = [document.getElementById(id), page.getElementById(id)];
    if (shown && fresh) await exchange(shown, fresh);
  }
};
document.addEventListener("input", ({ target }) => {
  if (target.id !== "slider") return;
  target.setAttribute("aria-valuetext", target.list.options[target.value].label);
  clearTimeout(timer);
  timer = setTimeout(() => go(target), 120);
});
