// Markdown around or in front of what is selected.
const around = { bold: ["**", "**"], code: ["`", "`"], link: ["[", "](https://)"] };
const before = { list: "- ", quote: "> " };

export const format = (text, name) => {
  const { selectionStart: start, selectionEnd: end, value } = text;
  text.focus();
  if (name in around) {
    const [open, close] = around[name];
    const chosen = value.slice(start, end);
    text.setRangeText(open + chosen + close, start, end, "select");
    const at = start + open.length;
    text.setSelectionRange(at, at + chosen.length);
  } else {
    const first = value.lastIndexOf("\n", start - 1) + 1;
    const lines = value.slice(first, end).split("\n");
    text.setRangeText(lines.map((line) => before[name] + line).join("\n"), first, end, "end");
  }
  text.dispatchEvent(new Event("input", { bubbles: true }));
};
