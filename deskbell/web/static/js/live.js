// What changes elsewhere: one stream of events while this window can be seen, and a bar when it is lost. Other modules
// listen on document: deskbell:changed {tickets, others, everything} (others: the ids of those that somebody else changed), deskbell:views, deskbell:presence {tickets, whole}.
import "./live-list.js";
import "./live-ticket.js";
import "./presence.js";

const place = document.getElementById("live");
const me = Number(document.body.dataset.viewer);
const SILENCE = 40_000; // the server says something every 15 seconds
const HIDDEN_FOR = 30_000; // a window that nobody sees gives its connection back
const LONGEST = 20_000;

let source = null;
let cursor = place.dataset.live;
let pause = 1000;
let isStopped = false;
let retry, watchdog, goodbye, warning;

const tell = (name, detail) => document.dispatchEvent(new CustomEvent(`deskbell:${name}`, { detail }));
const show = (state) => {
  clearTimeout(warning);
  for (const bar of place.querySelectorAll("[data-state]")) bar.hidden = bar.dataset.state !== state;
};

// A click on a link cuts the stream as well: the bar waits a moment before it says so.
const lost = () => {
  close();
  if (isStopped) return;
  if (place.querySelector("[data-state=lost]").hidden) warning = setTimeout(show, navigator.onLine ? 600 : 0, "lost");
  retry = setTimeout(open, pause + Math.random() * 500);
  pause = Math.min(pause * 2, LONGEST);
};
const close = () => {
  source?.close();
  source = null;
  clearTimeout(retry);
  clearTimeout(watchdog);
};
const stop = (state) => {
  isStopped = true;
  close();
  show(state);
};
const alive = (event) => {
  if (event.lastEventId) cursor = event.lastEventId;
  clearTimeout(watchdog);
  watchdog = setTimeout(lost, SILENCE);
};

const handlers = {
  beat: () => {},
  changed: ({ tickets }) => {
    const others = tickets.filter(({ by }) => by.some((id) => id !== me));
    tell("changed", { tickets, others: others.map(({ id }) => id), everything: false });
  },
  everything: () => tell("changed", { tickets: [], others: [], everything: true }),
  views: () => tell("views"),
  presence: (detail) => tell("presence", detail),
  ended: () => stop("ended"),
  replaced: () => close(),
};

const open = () => {
  close();
  if (isStopped || document.hidden) return;
  const address = new URL(place.dataset.href, location);
  if (cursor) address.searchParams.set("after", cursor);
  source = new EventSource(address);
  source.onopen = (event) => {
    alive(event);
    pause = 1000;
    show("");
  };
  // EventSource would try again by itself, but not after an answer that is an error, and it does not say how often.
  source.onerror = lost;
  for (const [name, handle] of Object.entries(handlers)) {
    source.addEventListener(name, (event) => {
      alive(event);
      handle(JSON.parse(event.data));
    });
  }
};

document.addEventListener("visibilitychange", () => {
  clearTimeout(goodbye);
  if (document.hidden) goodbye = setTimeout(close, HIDDEN_FOR);
  else if (!source) open();
});
addEventListener("focus", () => source || document.hidden || open());
addEventListener("online", () => open());
addEventListener("offline", () => lost());
addEventListener("pagehide", close);
addEventListener("pageshow", (event) => event.persisted && open());
place.querySelector("[data-live-action=retry]")?.addEventListener("click", open);
open();
