// Menus close when somebody clicks elsewhere or presses Escape, as menus do; what only scripts can do is shown.
const close = (except) => document.querySelectorAll("details.menu[open]").forEach((menu) => menu === except || (menu.open = false));

document.addEventListener("click", (event) => close(event.target.closest("details.menu")));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector("details.menu[open]");
  close();
  menu?.querySelector("summary").focus();
});
document.querySelectorAll("[data-action=show-keys][hidden], [data-action=clear-picks][hidden]").forEach((control) => (control.hidden = false));
