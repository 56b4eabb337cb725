// What is marked data-dialog is shown in a dialog instead of on a page of its own; without this, it is that page.
const sheet = document.querySelector("#sheet");

const fetched = async (address) => {
  const response = await fetch(address, { headers: { Accept: "text/html" } });
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  return response.redirected ? null : page.querySelector("[data-sheet]");
};

const open = async (address) => {
  const content = await fetched(address).catch(() => null);
  if (!content) return location.assign(address);
  sheet.replaceChildren(document.adoptNode(content));
  const title = sheet.querySelector("h1");
  title.id = "sheet-title";
  sheet.setAttribute("aria-labelledby", title.id);
  if (!sheet.open) sheet.showModal();
  (sheet.querySelector("[autofocus]") ?? sheet.querySelector("input:not([type=hidden]), select, button"))?.focus();
};

// What follows the form that asks is its answer: the form itself stays, with the focus in it.
let latest = 0;
const refresh = async (form, address) => {
  const mine = ++latest;
  const content = await fetched(address).catch(() => null);
  if (!content) return location.assign(address);
  if (mine !== latest || !form.isConnected) return;
  const answer = [...content.children].filter((it) => !it.matches("h1, h1 + p, [data-live]"));
  [...form.parentElement.children].filter((it) => !it.matches("h1, h1 + p, [data-live]")).forEach((it) => it.remove());
  form.after(...answer.map((it) => document.adoptNode(it)));
};

if (sheet) {
  document.addEventListener("click", (event) => {
    if (event.target === sheet) return sheet.close();
    if (event.target.closest("#sheet [data-close-sheet]")) return event.preventDefault(), sheet.close();
    const link = event.target.closest("a[data-dialog]");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open(link.href);
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    const isLive = form.matches("#sheet [data-live]");
    if (!isLive && !form.matches("form[data-dialog]")) return;
    event.preventDefault();
    const address = `${form.action}?${new URLSearchParams(new FormData(form, event.submitter))}`;
    isLive ? refresh(form, address) : open(address);
  });
  sheet.addEventListener("change", ({ target }) => target.value && target.closest("[data-live]")?.requestSubmit());
  sheet.addEventListener("keydown", (event) => {
    const button = sheet.querySelector("form[method=post] .primary");
    if (event.key !== "Enter" || !event.target.matches("[data-live] select") || !button) return;
    event.preventDefault();
    button.click();
  });
}
