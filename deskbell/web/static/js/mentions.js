// Names of colleagues, offered after an @. They are those that a ticket can be given to.
const text = document.querySelector("textarea[data-mentions]");
const list = document.getElementById("mentions");
const WORD = /(?:^|[^\p{L}\p{N}_.@+-])@([\p{L}\p{N}][^\n@]{0,40})?$/u;
const MOST = 8;
let active = -1;
let start = 0;

const people = () => [...(document.getElementById("assignee")?.options ?? [])].filter((option) => option.value).map((option) => option.text);
const fitting = (begun) => {
  const wanted = begun.toLowerCase();
  const fits = (name) => name.toLowerCase().startsWith(wanted) || name.toLowerCase().split(" ").some((word) => word.startsWith(wanted));
  return people().filter(fits).slice(0, MOST);
};

const close = () => {
  list.hidden = true;
  active = -1;
  list.replaceChildren();
  text.removeAttribute("aria-activedescendant");
};
const mark = (index) => {
  active = (index + list.children.length) % list.children.length;
  [...list.children].forEach((item, at) => item.setAttribute("aria-selected", String(at === active)));
  text.setAttribute("aria-activedescendant", list.children[active].id);
};
const choose = (name) => {
  text.setRangeText(`@${name} `, start, text.selectionStart, "end");
  close();
  text.dispatchEvent(new Event("input", { bubbles: true }));
  close();
};
const offer = () => {
  const found = WORD.exec(text.value.slice(0, text.selectionStart));
  const begun = found?.[1] ?? "";
  const names = found ? fitting(begun) : [];
  if (!names.length) return close();
  start = text.selectionStart - begun.length - 1;
  list.replaceChildren(
    ...names.map((name, index) => {
      const item = document.createElement("li");
      item.id = `mention-${index}`;
      item.setAttribute("role", "option");
      item.dir = "auto";
      item.textContent = name;
      item.addEventListener("pointerdown", (event) => (event.preventDefault(), choose(name)));
      return item;
    }),
  );
  list.hidden = false;
  mark(0);
};

if (text && list) {
  text.setAttribute("aria-autocomplete", "list");
  text.setAttribute("aria-controls", list.id);
  text.addEventListener("input", offer);
  text.addEventListener("blur", close);
  text.addEventListener("keydown", (event) => {
    if (list.hidden || event.ctrlKey || event.metaKey) return;
    const keys = {
      ArrowDown: () => mark(active + 1),
      ArrowUp: () => mark(active - 1),
      Enter: () => choose(list.children[active].textContent),
      Tab: () => choose(list.children[active].textContent),
      Escape: close,
    };
    if (!(event.key in keys)) return;
    event.preventDefault();
    event.stopPropagation();
    keys[event.key]();
  });
}
