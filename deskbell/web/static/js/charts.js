// Draws each .plot from the table that it names: the table is the truth, and there without this. Columns whose heading has
// data-series are drawn; labels and values are those of the cells, so that they are in the reader's language.
const scheme = matchMedia("(prefers-color-scheme: dark)");
const drawn = new Map();

// A token is a pair of colours: the browser says which one holds where the plot stands.
const colours = (plot) => {
  const probe = plot.appendChild(document.createElement("i"));
  const computed = (colour) => ((probe.style.color = colour), getComputedStyle(probe).color);
  const of = (token) => computed(`var(${token})`);
  const faint = (colour) => computed(`color-mix(in srgb, ${colour} 35%, transparent)`);
  return { of, faint, text: of("--text"), muted: of("--muted"), line: of("--line") };
};

const number = (cell) => (cell?.dataset.value === undefined ? null : Number(cell.dataset.value));

const read = (table, most) => {
  const rows = [...table.tBodies[0].rows].slice(0, most);
  const columns = [...table.tHead.querySelectorAll("th[data-series]")].map((heading) => ({
    name: heading.dataset.name ?? heading.textContent.trim(),
    kind: heading.dataset.series,
    colour: heading.dataset.colour,
    faint: "faint" in heading.dataset,
    side: "side" in heading.dataset,
    cells: rows.map((row) => row.cells[heading.dataset.column ?? heading.cellIndex]),
  }));
  return { labels: rows.map((row) => row.cells[0].textContent.trim()), columns };
};

const dataset = (column, palette, lying) => {
  const colour = palette.of(column.colour);
  const axis = column.side ? "side" : lying ? "x" : "y";
  const shared = { label: column.name, data: column.cells.map(number), cells: column.cells, borderColor: colour, backgroundColor: column.faint ? palette.faint(colour) : colour };
  return column.kind === "line"
    ? { ...shared, type: "line", yAxisID: axis, borderWidth: 2, pointRadius: column.cells.length > 40 ? 0 : 2, pointHitRadius: 12, tension: 0.2, order: 0 }
    : { ...shared, type: "bar", [lying ? "xAxisID" : "yAxisID"]: axis, borderRadius: 2, borderWidth: column.faint ? 1 : 0, maxBarThickness: 20, order: 1 };
};

const scales = (palette, columns, lying, rtl, title) => {
  const ticks = { color: palette.muted, maxRotation: 0, autoSkipPadding: 12 };
  const values = { beginAtZero: true, grid: { color: palette.line }, border: { display: false }, ticks: { ...ticks, precision: title ? undefined : 0 }, title: { display: Boolean(title), text: title, color: palette.muted } };
  const names = { grid: { display: false }, border: { color: palette.line }, ticks };
  if (lying) return { x: { ...values, reverse: rtl }, y: { ...names, ticks: { ...ticks, autoSkip: false }, position: rtl ? "right" : "left" } };
  const found = { x: { ...names, reverse: rtl }, y: { ...values, position: rtl ? "right" : "left" } };
  const aside = columns.find((column) => column.side);
  if (aside) found.side = { ...values, position: rtl ? "left" : "right", grid: { display: false }, title: { display: true, text: aside.name, color: palette.muted } };
  return found;
};

const options = (palette, columns, plot, rtl) => {
  const lying = "most" in plot.dataset;
  return {
    animation: false,
    responsive: true,
    maintainAspectRatio: false,
    locale: document.documentElement.lang,
    indexAxis: lying ? "y" : "x",
    interaction: { mode: "index", axis: lying ? "y" : "x", intersect: false },
    scales: scales(palette, columns, lying, rtl, plot.dataset.axis),
    plugins: {
      legend: { position: "bottom", rtl, labels: { color: palette.text, boxWidth: 12, boxHeight: 12, sort: (one, other) => one.datasetIndex - other.datasetIndex } },
      tooltip: { rtl, callbacks: { label: ({ dataset: { label, cells }, dataIndex }) => `${label}: ${cells[dataIndex].textContent.trim()}` } },
    },
  };
};

const draw = (plot) => {
  drawn.get(plot)?.destroy();
  plot.replaceChildren();
  const table = document.getElementById(plot.dataset.table);
  const lying = "most" in plot.dataset;
  const { labels, columns } = read(table, lying ? Number(plot.dataset.most) : undefined);
  const palette = colours(plot);
  const canvas = document.createElement("canvas");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-labelledby", table.getAttribute("aria-labelledby"));
  canvas.setAttribute("aria-describedby", table.id);
  const datasets = columns.map((column) => dataset(column, palette, lying));
  plot.replaceChildren(canvas);
  const { fontFamily, fontSize } = getComputedStyle(plot);
  Chart.defaults.font = { ...Chart.defaults.font, family: fontFamily, size: parseFloat(fontSize) };
  const rtl = getComputedStyle(plot).direction === "rtl";
  drawn.set(plot, new Chart(canvas, { data: { labels, datasets }, options: options(palette, columns, plot, rtl) }));
};

// What was swapped away is forgotten; what is new is drawn.
const drawNew = () => {
  for (const [plot, chart] of drawn) if (!plot.isConnected) chart.destroy(), drawn.delete(plot);
  for (const plot of document.querySelectorAll(".plot")) if (!drawn.has(plot)) draw(plot);
};
const redraw = () => [...drawn.keys()].forEach(draw);

drawNew();
document.addEventListener("htmx:after:swap", drawNew);
scheme.addEventListener("change", redraw);
new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-theme", "dir", "lang"] });
addEventListener("beforeprint", () => drawn.forEach((chart) => chart.resize()));
