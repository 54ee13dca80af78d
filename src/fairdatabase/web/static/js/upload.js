// Drop files, see each one's progress. Each file is streamed by a request of its own, so a failure concerns
// that file alone; without this script the same form sends the files at once.
function send(form, file, onProgress) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("PUT", form.dataset.upload + encodeURIComponent(file.name));
    request.setRequestHeader("Accept", "application/problem+json");
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.setRequestHeader("X-CSRF-TOKEN", form.elements.csrf_token.value);
    request.upload.addEventListener("progress", (event) => { if (event.lengthComputable) onProgress(event.loaded / event.total); });
    request.addEventListener("load", () => resolve(request.status < 400 ? "" : reason(request)));
    request.addEventListener("error", () => resolve("The connection broke before the file was complete. Nothing of it was kept; send it again."));
    request.send(file);
  });
}

function reason(request) {
  try {
    const problem = JSON.parse(request.responseText);
    return problem.detail || problem.title;
  } catch {
    return `The server answered ${request.status}.`;
  }
}

function row(file) {
  const item = document.createElement("li");
  item.className = "job";
  const line = document.createElement("div");
  line.className = "job-line";
  const name = document.createElement("strong");
  name.textContent = file.name;
  const state = document.createElement("span");
  state.textContent = "Waiting";
  const bar = document.createElement("progress");
  bar.max = 1;
  bar.value = 0;
  bar.setAttribute("aria-label", `Upload of ${file.name}`);
  line.append(name, state);
  item.append(line, bar);
  return { item, state, bar };
}

let uploading = 0;
addEventListener("beforeunload", (event) => { if (uploading) event.preventDefault(); });

async function uploadAll(form, files, announce) {
  uploading += 1;
  const list = form.querySelector("[data-upload-list]");
  const rows = files.map((file) => [file, row(file)]);
  list.append(...rows.map(([, view]) => view.item));
  let failed = 0;
  for (const [file, view] of rows) {
    const problem = await send(form, file, (share) => {
      view.bar.value = share;
      view.state.textContent = share < 1 ? `${Math.floor(share * 100)} %` : "Storing";
    });
    view.state.textContent = problem || "Stored";
    if (problem) {
      failed += 1;
      view.item.classList.add("is-failed");
      view.bar.remove();
    }
  }
  uploading -= 1;
  announce(failed ? `${failed} of ${rows.length} files could not be stored` : "All files are stored");
  if (!failed && !uploading) location.reload();
}

export function enhanceDropzones(announce) {
  for (const zone of document.querySelectorAll("[data-dropzone]")) {
    const form = zone.closest("form");
    const input = zone.querySelector("input[type=file]");
    form.querySelector("[data-without-script]")?.remove();
    const begin = () => {
      const files = [...input.files];
      input.value = "";
      if (files.length) uploadAll(form, files, announce);
    };
    input.addEventListener("change", begin);
    begin(); // with what was chosen before this file arrived
    for (const type of ["dragenter", "dragover"]) {
      zone.addEventListener(type, (event) => { event.preventDefault(); zone.classList.add("is-over"); });
    }
    for (const type of ["dragleave", "drop"]) {
      zone.addEventListener(type, (event) => { event.preventDefault(); zone.classList.remove("is-over"); });
    }
    zone.addEventListener("drop", (event) => {
      const files = [...event.dataTransfer.files];
      if (files.length) uploadAll(form, files, announce);
    });
  }
}
