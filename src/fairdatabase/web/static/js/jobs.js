// Keep <div data-job="ID"> up to date: told by a WebSocket, or by asking where none gets through.
// When every job of the page has ended the page is loaded anew, because the server then has more to
// say than a progress bar.
const ENDED = new Set(["done", "failed", "cancelled"]);
const SLOWEST = 4000;

function show(box, job) {
  const bar = box.querySelector("progress");
  if (bar && job.progress > 0) bar.value = job.progress;
  const text = job.error || job.message;
  if (text) box.querySelector("[data-job-message]").textContent = text;
  box.dataset.state = job.state;
}

const running = () => [...document.querySelectorAll("[data-job]")].filter((box) => !ENDED.has(box.dataset.state));
const pause = (milliseconds) => new Promise((done) => { setTimeout(done, milliseconds); });

async function ask(box) {
  const answer = await fetch(`/api/v1/jobs/${encodeURIComponent(box.dataset.job)}`, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`The server answered ${answer.status}`);
  show(box, (await answer.json()).data);
}

async function askUntilEnded() {
  for (let wait = 500; running().length; wait = Math.min(wait * 1.3, SLOWEST)) {
    await pause(wait);
    if (document.hidden) continue;
    for (const box of running()) {
      try {
        await ask(box);
      } catch {
        box.querySelector("[data-job-message]").textContent = "The connection is interrupted; trying again";
      }
    }
  }
}

// Resolves when every job has ended, or when no WebSocket gets through (see docs/decisions/0003-server.md).
async function listen() {
  const { io } = await import("../vendor/socket.io-client-4.8.4.esm.min.js");
  const socket = io("/jobs", { transports: ["websocket"], reconnectionAttempts: 2 });
  await new Promise((resolve) => {
    const told = (job) => {
      const box = document.querySelector(`[data-job="${CSS.escape(job.public_id)}"]`);
      if (box) show(box, job);
      if (!running().length) resolve();
    };
    socket.on("connect", () => {
      for (const box of running()) socket.emit("subscribe", box.dataset.job, (answer) => { if (answer.status === "success") told(answer.data); });
    });
    socket.on("progress", told);
    socket.io.on("reconnect_failed", resolve);
  });
  socket.disconnect();
}

export async function watchJobs() {
  if (!running().length) return;
  await listen().catch(() => {});
  await askUntilEnded();
  location.reload();
}
