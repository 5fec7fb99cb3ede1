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
  const started = performance.now();
  // The first events are those that the page shows already.
  const later = (action) => (event) => {
    if (performance.now() - started > 1000) action(JSON.parse(event.data), event);
  };
  events.addEventListener("state", later(reload));
  events.addEventListener("end", reload);
  events.addEventListener("phase", later((data) => {
    const phase = document.querySelectorAll(".phase")[data.index];
    if (phase && data.state === "began") phase.textContent = data.phase;
  }));
  events.addEventListener("log", later((data) => {
    const log = document.querySelectorAll(".log")[data.index];
    if (log) {
      log.textContent += "\n" + data.line;
      log.scrollTop = log.scrollHeight;
    }
  }));
}
