// A field with a list of offers beneath it: the combobox of ARIA 1.2. Arrows choose, Enter and Tab take, Escape closes.
let number = 0;

export const icon = (name) => {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${document.querySelector("#words")?.dataset.icons}#${name}`);
  svg.append(use);
  return svg;
};

export const option = ({ label, detail, icon: name, href }) => {
  const row = document.createElement(href ? "a" : "div");
  row.id = `option-${++number}`;
  row.setAttribute("role", "option");
  row.setAttribute("aria-selected", "false");
  if (href) (row.href = href), (row.tabIndex = -1);
  if (name) row.append(icon(name));
  const text = document.createElement("bdi");
  text.className = "cut";
  text.textContent = label;
  row.append(text);
  if (detail) {
    const more = document.createElement("bdi");
    more.className = "detail cut";
    more.textContent = detail;
    row.append(more);
  }
  return row;
};

// `ask` gives the items for what is written; `take` is called with the one that was chosen; `say` announces how many.
export const combobox = (input, list, { ask, take, say = () => {}, eager = false, wait = 100 }) => {
  let items = new Map();
  let active = null;
  let clock;
  let asked = 0;
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-controls", list.id);
  input.setAttribute("aria-expanded", "false");

  const choose = (row) => {
    active?.setAttribute("aria-selected", "false");
    active = row ?? null;
    active?.setAttribute("aria-selected", "true");
    active?.scrollIntoView({ block: "nearest" });
    active ? input.setAttribute("aria-activedescendant", active.id) : input.removeAttribute("aria-activedescendant");
  };
  const close = () => {
    asked += 1;
    clearTimeout(clock);
    choose(null);
    items = new Map();
    list.replaceChildren();
    input.setAttribute("aria-expanded", "false");
  };
  function show(groups) {
    choose(null);
    items = new Map();
    list.replaceChildren();
    for (const { name, items: its } of groups) {
      const group = document.createElement("div");
      if (name) {
        group.setAttribute("role", "group");
        group.setAttribute("aria-label", name);
        const head = document.createElement("div");
        head.className = "group";
        head.setAttribute("aria-hidden", "true");
        head.textContent = name;
        group.append(head);
      } else group.setAttribute("role", "presentation");
      for (const item of its) {
        const row = option(item);
        items.set(row, item);
        group.append(row);
      }
      list.append(group);
    }
    input.setAttribute("aria-expanded", String(items.size > 0));
    if (eager) choose(first());
    say(items.size);
  }
  const refresh = async () => {
    clearTimeout(clock);
    const mine = ++asked;
    const groups = await ask().catch(() => null);
    if (!groups || mine !== asked || document.activeElement !== input) return false;
    show(groups);
    return true;
  };
  // What is offered was for what stood there before: until the answer comes it can be seen, but not taken.
  const soon = () => {
    asked += 1;
    items = new Map();
    choose(null);
    clearTimeout(clock);
    clock = setTimeout(refresh, wait);
  };
  const begun = () => /\S$/.test(input.value.slice(0, input.selectionStart ?? undefined)); // else Tab would never leave
  const first = () => [...items.keys()][0];
  const taken = (row, event) => {
    const item = items.get(row);
    if (!item) return;
    close();
    take(item, event);
  };

  input.addEventListener("input", soon);
  input.addEventListener("blur", () => document.activeElement !== input && close()); // a window that goes away leaves it there
  input.addEventListener("keydown", (event) => {
    const all = [...items.keys()];
    const { key } = event;
    if (key === "ArrowDown" || key === "ArrowUp") {
      event.preventDefault();
      if (!all.length) return refresh().then((came) => came && choose(first()));
      const by = key === "ArrowDown" ? 1 : -1;
      const here = all.indexOf(active);
      choose(here < 0 ? all.at(by > 0 ? 0 : -1) : all[(here + by + all.length) % all.length]);
    } else if (key === "Enter" && active) {
      event.preventDefault();
      taken(active, event);
    } else if (key === "Enter" && eager) {
      event.preventDefault();
      refresh().then((came) => came && taken(first(), event));
    } else if (key === "Tab" && !event.shiftKey && (active || (all.length && begun() && !eager))) {
      event.preventDefault();
      taken(active ?? all[0], event);
    } else if (key === "Escape" && all.length && !eager) {
      event.preventDefault();
      event.stopPropagation();
      close();
    }
  });
  list.addEventListener("pointerdown", (event) => event.button === 0 && event.preventDefault()); // the field keeps the focus
  list.addEventListener("click", (event) => {
    const row = event.target.closest("[role=option]");
    if (!row || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    taken(row, event);
  });
  return { refresh, close };
};
