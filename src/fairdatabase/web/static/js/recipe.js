// While a recipe or the levels of a column are edited, keep telling what they would lead to. Without this file a button does it.
const PAUSE = 600;
const grouped = (value) => value.toLocaleString("en").replaceAll(",", "\u202f");
const percent = (share) => (share > 0 && share < 0.001 ? "< 0.1 %" : `${(share * 100).toFixed(share > 0 && share < 0.1 ? 1 : 0)}\u00a0%`);
const NUMBERS = ["k", "policy_k", "rows_at_risk", "rows_out", "rows_in"];

function fill(box, tried) {
  const put = (name, text) => { box.querySelector(`[data-preview="${name}"]`).textContent = text; };
  for (const name of NUMBERS) put(name, grouped(tried[name]));
  put("average_risk", percent(tried.average_risk));
  put("verdict", tried.passed ? "The release would hold the policy." : "The release would not hold the policy yet.");
  box.querySelector("[data-preview=reasons]").replaceChildren(...tried.reasons.map((reason) => {
    const item = document.createElement("li");
    item.textContent = reason.replaceAll("`", "");
    return item;
  }));
  box.querySelector(".preview-figures").hidden = false;
  box.dataset.state = tried.passed ? "ok" : "bad";
}

function cell(kind, text, span = 1) {
  const made = document.createElement(kind);
  made.textContent = text ?? "missing";
  if (kind === "td") made.rowSpan = span;
  else made.scope = "row";
  return made;
}

// The figures of each level, and the table of the values: see deposits/schemas.py, HierarchyPreview.
function fillLevels(form, found) {
  for (const row of form.querySelectorAll("[data-level]")) {
    const level = found.levels[Number(row.dataset.level)];
    const put = (name, text) => { row.querySelector(`[data-figure="${name}"]`).textContent = text; };
    put("distinct", level ? grouped(level.distinct) : "");
    put("k", level ? grouped(level.k) : "");
    put("share", level ? `${grouped(level.rows_at_risk)} (${percent(level.rows ? level.rows_at_risk / level.rows : 0)})` : "");
  }
  form.querySelector("[data-tree]").replaceChildren(...found.tree.map((branch) => {
    const row = document.createElement("tr");
    const count = cell("td", grouped(branch.rows));
    count.className = "is-num";
    row.append(...branch.labels.map((label) => cell("td", label.text, label.span)), cell("th", branch.value), count);
    return row;
  }));
  const depth = Math.max(0, found.tree[0]?.labels.length ?? 0);
  const head = form.querySelector("[data-tree-head]");
  while (head.children.length > depth + 2) head.firstElementChild.remove();
  while (head.children.length < depth + 2) head.prepend(document.createElement("th"));
  for (let place = 0; place < depth; place += 1) head.children[place].textContent = `Level ${depth - place}`;
}

function edited(field) {
  if (field.type === "select-one") {
    const usual = [...field.options].findIndex((option) => option.defaultSelected);
    return field.selectedIndex !== Math.max(0, usual);
  }
  if (field.type === "radio" || field.type === "checkbox") return field.checked !== field.defaultChecked;
  return "defaultValue" in field && field.value !== field.defaultValue;
}

export function livePreview() {
  const form = document.querySelector("form[data-preview-url]");
  if (!form) return;
  const box = form.querySelector("#preview");
  let timer;
  let running;
  async function measure() {
    running?.abort();
    running = new AbortController();
    box.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(form.dataset.previewUrl, { method: "POST", body: new URLSearchParams(new FormData(form)), headers: { Accept: "application/json" }, signal: running.signal });
      const body = await answer.json();
      if (answer.ok && body.data.tree) fillLevels(form, body.data);
      const tried = answer.ok && (body.data.tree ? body.data.preview : body.data);
      if (tried) fill(box, tried);
      else if (answer.ok) box.querySelector("[data-preview=verdict]").textContent = "The table is too large to try a recipe while you wait.";
      else {
        box.dataset.state = "none";
        box.querySelector("[data-preview=verdict]").textContent = body.error ?? body.detail;
      }
    } catch (error) {
      if (error.name === "AbortError") return;
      box.querySelector("[data-preview=verdict]").textContent = "The connection is interrupted. Press the button to try again.";
    }
    box.removeAttribute("aria-busy");
  }
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(measure, PAUSE);
  });
  // What was typed before this file arrived, or put back by the browser, was told to nobody.
  if ([...form.elements].some(edited)) measure();
}
