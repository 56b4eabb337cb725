// What somebody has written is not thrown away by leaving the page; Ctrl-Enter sends it.
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.matches(".composer textarea")) {
    event.preventDefault();
    event.target.form.requestSubmit();
  }
});

addEventListener("beforeunload", (event) => {
  const form = document.querySelector(".composer:not([data-sent])");
  const text = form?.querySelector("textarea");
  if (text && text.value !== text.defaultValue) event.preventDefault();
});
