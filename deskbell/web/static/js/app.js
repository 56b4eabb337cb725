// Comfort on every page; each works without it. A page's own module is loaded where its element is there.
import "./dialogs.js";
import "./forms.js";
import "./keyboard.js";
import "./menus.js";
import "./search.js";

const modules = {
  ".plot, .later": "./charts.js",
  "[data-count], [data-total]": "./counts.js",
  "#bulk": "./selection.js",
  "#live": "./live.js",
  ".composer": "./composer.js",
  "[data-upload]": "./upload.js",
  ".ticket": "./ticket.js",
};

export const start = () => {
  for (const [selector, path] of Object.entries(modules)) {
    if (document.querySelector(selector)) import(path);
  }
};
start();
document.addEventListener("htmx:after:swap", start);
