// Who looks at a ticket or writes to it: this window says so, and shows who else does.
import { fill, textOf } from "./live-page.js";

const HEARTBEAT = 10_000;
const STILL = 5000; // who has not touched a key for so long is no longer writing
const me = Number(document.body.dataset.viewer);
const here = new Map(); // number → people
const number = () => document.querySelector(".ticket[data-ticket]:not([data-past])")?.dataset.ticket;
const token = () => document.querySelector("input[name=csrf_token]")?.value ?? "";
const address = () => `/tickets/${encodeURIComponent(number())}/presence`;
let doing = "left";
let beat, still;

const form = (what) => {
  const fields = new FormData();
  fields.set("csrf_token", token());
  fields.set("doing", what);
  return fields;
};
const say = (what) => {
  doing = what;
  clearTimeout(beat);
  if (!number()) return;
  if (what === "left") return navigator.sendBeacon(address(), form(what));
  beat = setTimeout(() => say(doing), HEARTBEAT);
  fetch(address(), { method: "POST", body: form(what), headers: { "X-CSRF-Token": token() } }).catch(() => {});
};
const look = () => (document.hidden ? doing !== "left" && say("left") : say("viewing"));

addEventListener("input", (event) => {
  if (!event.target.matches("#composer textarea")) return;
  clearTimeout(still);
  still = setTimeout(() => doing === "typing" && say("viewing"), STILL);
  if (doing !== "typing") say("typing");
});
addEventListener("pagehide", () => doing !== "left" && say("left"));
addEventListener("pageshow", (event) => event.persisted && look());
document.addEventListener("visibilitychange", look);
if (number()) look();

const avatar = ({ id, name }) => {
  const mark = document.createElement("span");
  mark.className = "avatar";
  mark.dataset.hue = id % 6;
  mark.setAttribute("aria-hidden", "true");
  const words = name.match(/[\p{L}\p{N}]+/gu) ?? [];
  mark.textContent = (words.length > 1 ? words[0][0] + words.at(-1)[0] : (words[0]?.[0] ?? "?")).toUpperCase();
  return mark;
};
const sentence = (people, kind) => {
  const names = people.map(({ name }) => name);
  return fill(textOf(`${kind}-${names.length === 1 ? "one" : "many"}`), { name: names[0], names: names.join(", "), count: names.length });
};
const others = (key) => (here.get(key) ?? []).filter(({ id }) => id !== me);

const draw = () => {
  drawTicket();
  for (const row of document.querySelectorAll(".tickets tr[data-ticket]")) drawRow(row);
};
const drawTicket = () => {
  const place = document.getElementById("presence");
  if (!place) return;
  const people = others(number());
  const typing = people.filter((one) => one.doing === "typing");
  const words = [typing.length && sentence(typing, "typing"), people.length > typing.length && sentence(people.filter((one) => one.doing !== "typing"), "viewing")];
  const text = document.createElement("bdi");
  text.textContent = words.filter(Boolean).join(" ");
  place.replaceChildren(...people.map(avatar), text);
  place.classList.toggle("is-typing", typing.length > 0);
  place.hidden = people.length === 0;
};
const drawRow = (row) => {
  const link = row.querySelector('a[href^="/tickets/"]');
  const people = link ? others(decodeURIComponent(link.pathname.split("/")[2])) : [];
  row.querySelector(".here")?.remove();
  if (!people.length) return;
  const mark = document.createElement("span");
  mark.className = "here";
  const isTyping = people.some((one) => one.doing === "typing");
  mark.classList.toggle("is-typing", isTyping);
  const words = document.createElement("span");
  words.className = "vh";
  words.textContent = sentence(people, isTyping ? "typing" : "viewing");
  mark.title = words.textContent;
  mark.append(avatar(people[0]), words);
  link.after(mark);
};

document.addEventListener("deskbell:presence", ({ detail }) => {
  if (detail.whole) here.clear();
  for (const [key, people] of Object.entries(detail.tickets)) people.length ? here.set(key, people) : here.delete(key);
  draw();
});
document.addEventListener("deskbell:rows", draw);
