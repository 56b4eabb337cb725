// The page at this address as it is now, and how a part of it takes the place of the one that is shown.

// Calls `work` now or when `pause` is over since the last call; calls in between are one. Not while nobody looks.
export const calmly = (work, pause) => {
  let timer = null;
  let last = -Infinity;
  const run = async () => {
    timer = null;
    if (document.hidden) return document.addEventListener("visibilitychange", ask, { once: true });
    last = performance.now();
    await work();
  };
  const ask = () => {
    timer ??= setTimeout(run, Math.max(last + pause() - performance.now(), Math.random() * 100));
  };
  return ask;
};

export const fetchPage = async () => {
  try {
    const response = await fetch(location.href, { headers: { Accept: "text/html", "X-Live": "1" } });
    if (!response.ok || response.redirected) return null;
    return new DOMParser().parseFromString(await response.text(), "text/html");
  } catch {
    return null; // the connection is lost: all is fetched when it is back
  }
};

const isEdited = (form) => form.contains(document.activeElement) || [...form.elements].some(differs);
const differs = (field) => {
  if (field.matches("select")) return isChosen(field);
  if (!field.matches("input:not([type=hidden]), textarea")) return false;
  return field.checked !== field.defaultChecked || (field.type !== "file" && field.value !== field.defaultValue);
};
// Without a choice of the page's, the first one is it.
const isChosen = ({ multiple, options }) => {
  const first = multiple || [...options].some((option) => option.defaultSelected) ? -1 : 0;
  return [...options].some((option, index) => option.selected !== (option.defaultSelected || index === first));
};

// What somebody is about to change is left as it is, open details stay open, and nothing moves under their eyes.
export const exchange = async (shown, fresh) => {
  const edited = [...shown.querySelectorAll("form")].filter(isEdited);
  edited.forEach((form) => form.setAttribute("hx-morph-skip", ""));
  keepOpen(shown, fresh);
  const [restore, refocus] = [holdStill(shown), holdFocus(shown)];
  await htmx.swap({ text: fresh.outerHTML, target: shown, swap: "outerMorph", sourceElement: document.body });
  refocus();
  restore();
  edited.forEach((form) => form.removeAttribute("hx-morph-skip"));
};

const keepOpen = (shown, fresh) => {
  const key = (details) => `${details.closest("[id]")?.id} ${details.className}`;
  const opened = new Set([shown, ...shown.querySelectorAll("details")].filter((one) => one.open).map(key));
  for (const details of [fresh, ...fresh.querySelectorAll("details")]) {
    if (details.matches("details")) details.open = opened.has(key(details));
  }
};

// What had the focus may be gone: what came after it has it then, or what stood before it.
const REACHED = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]";
const holdFocus = (shown) => {
  const focused = document.activeElement;
  if (!shown.contains(focused)) return () => {};
  const all = [...document.querySelectorAll(REACHED)];
  const at = all.indexOf(focused);
  const near = [...all.slice(at + 1), ...all.slice(0, at).reverse()];
  return () => {
    if (document.activeElement === document.body) near.find((it) => it.isConnected && it.checkVisibility())?.focus({ preventScroll: true });
  };
};

const holdStill = () => {
  const root = document.documentElement;
  const middle = document.elementFromPoint(innerWidth / 2, innerHeight / 3)?.closest("article, tr, form, section");
  const anchor = document.activeElement !== document.body ? document.activeElement : scrollY > 0 ? middle : null;
  const before = anchor?.getBoundingClientRect().top;
  root.style.overflowAnchor = "none";
  return () => {
    if (anchor?.isConnected && before > 0 && before < innerHeight) scrollBy(0, anchor.getBoundingClientRect().top - before);
    requestAnimationFrame(() => (root.style.overflowAnchor = ""));
  };
};

// Says something to who hears pages; the words come from the page.
export const announce = (name, values = {}) => {
  const place = document.getElementById("live");
  const words = place.querySelector(`template[data-text="${name}"]`)?.content.textContent.trim() ?? "";
  place.querySelector("[aria-live]").textContent = fill(words, values);
};
export const fill = (words, values) => words.replace(/%\((\w+)\)s/g, (whole, key) => values[key] ?? whole);
export const textOf = (name) =>
  document.querySelector(`#live template[data-text="${name}"]`)?.content.textContent.trim() ?? "";
