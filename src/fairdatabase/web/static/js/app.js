// Small comforts. Every page works without this file.
import "./trusted.js";
import { watchJobs } from "./jobs.js";
import { livePreview } from "./recipe.js";
import { enhanceDropzones } from "./upload.js";

// Copy the text of the element that data-copy points at, and say so.
async function copy(button) {
  const source = document.querySelector(button.dataset.copy);
  await navigator.clipboard.writeText(source.textContent.trim());
  const icon = button.querySelector("use");
  const before = icon.getAttribute("href");
  icon.setAttribute("href", before.replace(/#.*/, "#check"));
  announce("Copied");
  setTimeout(() => icon.setAttribute("href", before), 1600);
}

let status;
export function announce(text) {
  if (!status) {
    status = document.createElement("div");
    status.className = "visually-hidden";
    status.setAttribute("role", "status");
    document.body.append(status);
  }
  status.textContent = "";
  requestAnimationFrame(() => { status.textContent = text; });
}

// A form with data-confirm="#dialog" asks first.
function confirmFirst(event) {
  const form = event.target;
  const dialog = form.dataset.confirm && document.querySelector(form.dataset.confirm);
  if (!dialog || form.dataset.confirmed) return;
  event.preventDefault();
  dialog.returnValue = "";
  dialog.addEventListener("close", () => {
    if (dialog.returnValue !== "confirm") return;
    form.dataset.confirmed = "yes";
    form.requestSubmit();
  }, { once: true });
  dialog.showModal();
}

// One submission per form, and a warning before typed text is left behind.
const unsaved = new Set();
function submitting(event) {
  if (event.defaultPrevented) return;
  const form = event.target;
  unsaved.delete(form);
  if (form.method !== "post") return;
  if (form.getAttribute("aria-busy") === "true") { event.preventDefault(); return; }
  form.setAttribute("aria-busy", "true");
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copy(button);
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector("details[data-menu][open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});
document.addEventListener("submit", confirmFirst);
document.addEventListener("submit", submitting);
document.addEventListener("input", (event) => {
  const form = event.target.form;
  if (form?.dataset.unsaved !== undefined) unsaved.add(form);
});
addEventListener("beforeunload", (event) => { if (unsaved.size) event.preventDefault(); });
// The browser's back button may bring back a page whose form was already sent.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[aria-busy]")) form.removeAttribute("aria-busy");
});

document.querySelector("[data-focus]")?.focus();
watchJobs();
livePreview();
enhanceDropzones(announce);
