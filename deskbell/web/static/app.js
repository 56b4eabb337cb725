// Comfort for people who use the keyboard. Every page works without it.
const typing = (element) => element.closest("input, textarea, select, [contenteditable]");

document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  if (key === "Enter" && (event.ctrlKey || event.metaKey) && target.matches(".composer textarea")) {
    event.preventDefault();
    target.form.requestSubmit();
  }
  if (event.ctrlKey || event.metaKey || event.altKey || typing(target)) return;
  if (key === "/") {
    const search = document.querySelector("input[type=search]");
    if (search) event.preventDefault(), search.select();
  } else if (key === "j" || key === "k") {
    const links = [...document.querySelectorAll(".title a")];
    const here = links.indexOf(document.activeElement);
    links.at(key === "j" ? Math.min(here + 1, links.length - 1) : Math.max(here - 1, 0))?.focus();
  }
});

// A second click must not send a reply twice; a page that comes back from the browser's cache may send again.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if ("sent" in form.dataset) event.preventDefault();
  form.dataset.sent = "";
});
addEventListener("pageshow", () => document.querySelectorAll("[data-sent]").forEach((form) => delete form.dataset.sent));

// What somebody has written is not thrown away by leaving the page.
addEventListener("beforeunload", (event) => {
  const form = document.querySelector(".composer:not([data-sent])");
  const text = form?.querySelector("textarea");
  if (text && text.value !== text.defaultValue) event.preventDefault();
});
