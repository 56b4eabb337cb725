// Ticking tickets: with Shift a range, the page with one click, all that match; how many are ticked is said.
const form = document.querySelector("#bulk");
const all = form.querySelector("[data-pick-all]");
const page = document.querySelector("[data-pick-page]");
const boxes = () => [...document.querySelectorAll("#tickets [name=ids]")];
let anchor = null;

const count = () => {
  const ticked = boxes().filter((box) => box.checked).length;
  const { dataset } = form.querySelector("[data-picked]");
  form.querySelector("[data-picked]").textContent = ticked === 1 ? dataset.one : dataset.many.replace("%", ticked);
  const head = document.querySelector("[data-pick-page]");
  if (head) (head.checked = ticked > 0 && ticked === boxes().length), (head.indeterminate = ticked > 0 && !head.checked);
  if (!ticked && all) all.checked = false;
};

document.addEventListener("click", ({ target, shiftKey }) => {
  if (!target.matches?.("#tickets [name=ids]")) return;
  const places = boxes();
  const ends = [places.indexOf(anchor), places.indexOf(target)].sort((a, b) => a - b);
  if (shiftKey && ends[0] >= 0) places.slice(ends[0], ends[1] + 1).forEach((box) => (box.checked = target.checked));
  anchor = target;
  count();
});
document.addEventListener("change", ({ target }) => {
  if (target.matches?.("[data-pick-page]")) boxes().forEach((box) => (box.checked = target.checked));
  if (target.matches?.("#tickets [type=checkbox]")) count();
});
form.querySelector("[data-action=clear-picks]").addEventListener("click", () => {
  boxes().forEach((box) => (box.checked = false));
  count();
  (anchor?.isConnected ? anchor : boxes()[0])?.focus(); // the button is gone with the bar that it is in
});
if (page) page.hidden = false;
document.addEventListener("deskbell:rows", () => (document.querySelector("[data-pick-page]")?.removeAttribute("hidden"), count()));
addEventListener("pageshow", count);
count();
