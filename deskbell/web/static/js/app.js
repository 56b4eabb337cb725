// Comfort on every page; each works without it. A page's own module is loaded where its element is there.
import "./forms.js";
import "./keyboard.js";
import "./menus.js";

const modules = {
  "[data-count]": "./counts.js",
  ".composer": "./composer.js",
};

export const start = () => {
  for (const [selector, path] of Object.entries(modules)) {
    if (document.querySelector(selector)) import(path);
  }
};
start();
document.addEventListener("htmx:after:swap", start);
