// Fill in the counts of the rail once the page is there.
const fill = async () => {
  const response = await fetch("/workspace/counts", { headers: { Accept: "application/json" } });
  if (!response.ok) return;
  const counts = await response.json();
  document.querySelectorAll("[data-count]").forEach((place) => (place.textContent = counts[place.dataset.count] ?? ""));
};
fill();
