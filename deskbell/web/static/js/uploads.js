// Files that are chosen, pasted or dropped go to the draft at once, with their progress; each can be taken off again.
const running = new Set();
let form;

const list = () => document.getElementById("draft-files");
const token = () => form.elements.csrf_token.value;

const send = (file) => {
  const line = document.getElementById("upload-line").content.firstElementChild.cloneNode(true);
  const [name, progress] = [line.querySelector("span"), line.querySelector("progress")];
  name.textContent = file.name;
  progress.setAttribute("aria-label", file.name);
  list().append(line);
  const body = new FormData();
  body.set("file", file, file.name || "file");
  const request = new XMLHttpRequest(); // fetch tells no progress of an upload
  const work = new Promise((resolve) => {
    request.upload.addEventListener("progress", (event) => event.lengthComputable && (progress.value = event.loaded / event.total));
    request.addEventListener("loadend", () => {
      if (request.status === 200) line.outerHTML = request.responseText;
      else refuse(line, file, request);
      resolve();
    });
  });
  running.add(work);
  work.finally(() => running.delete(work));
  request.open("POST", form.dataset.filesTo);
  request.setRequestHeader("X-CSRF-Token", token());
  request.setRequestHeader("Accept", "application/json");
  request.send(body);
};

const refuse = (line, file, request) => {
  line.className = "notice error";
  line.setAttribute("role", "alert");
  let reason = "";
  try {
    reason = JSON.parse(request.responseText).detail;
  } catch {
    reason = document.getElementById("change")?.dataset.failed ?? "";
  }
  line.textContent = `${file.name}: ${reason}`;
};

const filesOf = (event) => [...((event.clipboardData ?? event.dataTransfer)?.files ?? [])];

export const uploads = {
  done: () => Promise.all(running),
  start(composer) {
    form = composer;
    const input = form.elements.files;
    input.addEventListener("change", () => {
      [...input.files].forEach(send);
      input.value = "";
    });
    form.addEventListener("paste", (event) => {
      const files = filesOf(event);
      if (!files.length) return;
      event.preventDefault();
      files.forEach(send);
    });
    form.addEventListener("dragover", (event) => {
      event.preventDefault();
      form.classList.add("dropping");
    });
    form.addEventListener("dragleave", (event) => form.contains(event.relatedTarget) || form.classList.remove("dropping"));
    form.addEventListener("drop", (event) => {
      event.preventDefault();
      form.classList.remove("dropping");
      filesOf(event).forEach(send);
    });
    list().addEventListener("click", async (event) => {
      const button = event.target.closest("button[formaction]");
      if (!button) return;
      event.preventDefault();
      const headers = { "X-CSRF-Token": token(), "Content-Type": "application/x-www-form-urlencoded", Accept: "application/json" };
      const response = await fetch(button.getAttribute("formaction"), { method: "POST", headers });
      if (response.ok || response.status === 404) button.closest("li").remove();
      form.elements.content.focus();
    });
  },
};
