// Keys that work anywhere but in a field.
export const typing = (element) => element.closest?.("input, textarea, select, [contenteditable]");

document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || typing(target)) return;
  if (key === "/") {
    const search = document.querySelector("input[type=search]");
    if (search) event.preventDefault(), search.select();
  } else if (key === "j" || key === "k") {
    const links = [...document.querySelectorAll(".title a")];
    const here = links.indexOf(document.activeElement);
    links.at(key === "j" ? Math.min(here + 1, links.length - 1) : Math.max(here - 1, 0))?.focus();
  }
});
