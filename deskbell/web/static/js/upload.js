// Forms with files: what is too large is said before it is sent, and one sees how far the sending is.
const failed = (form, text) => {
  const place = form.querySelector("[data-progress]");
  place.hidden = false;
  place.querySelector("progress").hidden = true;
  place.querySelector("[data-words]").textContent = text;
  delete form.dataset.sent;
};

const shown = (html, form) => {
  const page = new DOMParser().parseFromString(html, "text/html").querySelector("main");
  if (!page) return location.reload();
  document.querySelector("main").replaceWith(document.adoptNode(page));
  start();
  document.querySelector("[aria-invalid]")?.focus();
};

const send = (form, place) => {
  const request = new XMLHttpRequest();
  const bar = place.querySelector("progress");
  bar.hidden = place.hidden = false;
  place.querySelector("[data-words]").textContent = place.querySelector("[data-words]").dataset.words;
  request.upload.addEventListener("progress", (event) => (bar.value = (event.loaded / event.total) * 100));
  request.addEventListener("load", () => {
    if (request.status >= 400) return shown(request.responseText, form);
    location.assign(request.responseURL);
  });
  request.addEventListener("error", () => failed(form, form.dataset.lost));
  request.open("POST", form.action);
  request.setRequestHeader("Accept", "text/html");
  request.send(new FormData(form));
};

const start = () =>
  document.querySelectorAll("form[data-upload]").forEach((form) => {
    if (form.dataset.upload) return;
    form.dataset.upload = "ready";
    form.addEventListener("submit", (event) => {
      const field = form.querySelector("[type=file]");
      const size = [...field.files].reduce((sum, file) => sum + file.size, 0);
      if (!size || event.defaultPrevented) return;
      event.preventDefault();
      if (size > Number(field.dataset.largest)) return event.stopPropagation(), failed(form, field.dataset.tooLarge);
      form.dataset.sent = "";
      send(form, form.querySelector("[data-progress]"));
    });
  });
start();
document.addEventListener("htmx:after:swap", start);
