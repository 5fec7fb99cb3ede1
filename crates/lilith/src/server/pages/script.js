// Copies texts, and shows a job's log and phase while it runs. Pages work without this.
"use strict";

for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    const label = button.textContent;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = "Copied";
    } catch {
      const range = document.createRange();
      range.selectNodeContents(button.parentElement.querySelector("code"));
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      button.textContent = "Selected: press Ctrl+C";
    }
    setTimeout(() => { button.textContent = label; }, 2000);
  });
}

const live = document.getElementById("live");
if (live) {
  const events = new EventSource(live.dataset.events);
  const reload = () => { events.close(); location.reload(); };
  // Events follow on the page's own; log lines begin anew, also after a break.
  events.addEventListener("open", () => {
    for (const log of document.querySelectorAll(".log")) delete log.dataset.live;
  });
  const part = (data, name) => document.querySelector(`[data-command="${data.index}"] ${name}`);
  events.addEventListener("state", reload);
  events.addEventListener("end", reload);
  events.addEventListener("phase", (event) => {
    const data = JSON.parse(event.data);
    const phase = part(data, ".phase");
    if (!phase || data.state !== "began") return;
    phase.textContent = data.phase;
    const bar = part(data, "progress");
    bar.value = Math.max(bar.value, bar.dataset.phases.split(",").indexOf(data.phase));
  });
  events.addEventListener("log", (event) => {
    const data = JSON.parse(event.data);
    const log = part(data, ".log");
    if (!log) return;
    if (!log.dataset.live) {
      log.dataset.live = "yes";
      log.textContent = "";
    }
    log.textContent += data.line + "\n";
    log.scrollTop = log.scrollHeight;
  });
}
