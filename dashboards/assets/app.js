// Keeps a page fresh without reloading it: the stream says what changed, the page is fetched
// again, and only its parts that name a changed topic in data-live are exchanged.
(() => {
  "use strict";
  const REFRESH_MS = 1000; // at most one refresh a second
  const SILENCE_MS = 30000; // three missed signs of life: the line is dead even if it looks open
  const RETRY_MS = 3000;
  const body = document.body;
  const lost = document.getElementById("lost");
  const speed = Number(body.dataset.speed) || 1;
  let serverNow = Number(body.dataset.now);
  let setAt = Date.now();
  const now = () => serverNow + (Date.now() - setAt) * speed;
  const setNow = (ms) => { serverNow = ms; setAt = Date.now(); };

  const pad = (n) => String(n).padStart(2, "0");
  const local = (ms) => new Date(ms + Number(body.dataset.offset));
  const clockText = (at) =>
    `${at.getUTCFullYear()}-${pad(at.getUTCMonth() + 1)}-${pad(at.getUTCDate())} ` +
    `${pad(at.getUTCHours())}:${pad(at.getUTCMinutes())}:${pad(at.getUTCSeconds())}`;

  // Countdown to a due time; past it, how long ago it was, with a plus sign.
  const countdown = (el) => {
    const left = Number(el.dataset.due) - now();
    const s = Math.floor(Math.abs(left) / 1000);
    const text = `${left < 0 ? "+" : ""}${Math.floor(s / 3600)}:${pad(Math.floor(s / 60) % 60)}:${pad(s % 60)}`;
    if (el.textContent !== text) el.textContent = text;
  };
  const tick = () => {
    const clock = document.getElementById("clock");
    if (clock) clock.textContent = clockText(local(now()));
    document.querySelectorAll("[data-due]").forEach(countdown);
  };
  tick();
  setInterval(tick, 500);

  // One open source of a figure at a time; a click elsewhere closes it.
  document.addEventListener("click", (event) => {
    document.querySelectorAll("details.src[open]").forEach((d) => {
      if (!d.contains(event.target)) d.open = false;
    });
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") document.querySelectorAll("details.src[open]").forEach((d) => { d.open = false; });
  });
  document.querySelectorAll("form[data-submit]").forEach((form) => {
    form.addEventListener("change", () => form.requestSubmit());
  });
  // A form is sent once, however often the button is pressed.
  document.addEventListener("submit", (event) => {
    if (event.target.dataset.sent) event.preventDefault();
    event.target.dataset.sent = "1";
  });
  window.addEventListener("pageshow", () => {
    document.querySelectorAll("form[data-sent]").forEach((f) => delete f.dataset.sent);
  });

  if (!body.dataset.liveUrl || !window.EventSource) return;

  const wanted = new Set();
  let timer = null;
  let busy = false;
  let last = 0;

  const touched = (el) => wanted.has("all") || el.dataset.live.split(" ").some((t) => wanted.has(t));

  const exchange = (old, fresh) => {
    const open = [...old.querySelectorAll("details[open][data-key]")].map((d) => d.dataset.key);
    fresh.querySelectorAll("details[data-key]").forEach((d) => { if (open.includes(d.dataset.key)) d.open = true; });
    fresh.querySelectorAll("[data-due]").forEach(countdown);
    if (old.outerHTML === fresh.outerHTML) return;
    // A person typing or holding a control inside the part is not interrupted.
    const active = document.activeElement;
    if (active && old.contains(active) && active.matches("input, textarea, select")) return;
    const focus = active && old.contains(active) ? active.getAttribute("href") : null;
    old.replaceWith(document.adoptNode(fresh));
    if (focus) fresh.querySelector(`[href="${CSS.escape(focus)}"]`)?.focus({ preventScroll: true });
  };

  const refresh = async () => {
    timer = null;
    const parts = [...document.querySelectorAll("[data-live]")].filter(touched);
    const topics = [...wanted];
    wanted.clear();
    document.dispatchEvent(new CustomEvent("cems:changed", { detail: topics }));
    if (!parts.length) return;
    busy = true;
    const started = Date.now();
    try {
      const answer = await fetch(location.href, { headers: { "x-live": "1" }, cache: "no-store" });
      if (answer.redirected && new URL(answer.url).pathname === "/login") { location.reload(); return; }
      if (!answer.ok) throw new Error(String(answer.status));
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      setNow(Number(page.body.dataset.now));
      parts.forEach((old) => {
        const fresh = page.getElementById(old.id);
        if (fresh) exchange(old, fresh);
      });
    } catch {
      topics.forEach((t) => wanted.add(t));
    } finally {
      busy = false;
      // A slow server is asked less often: never more than a quarter of the time.
      last = Date.now() + 3 * (Date.now() - started);
      if (wanted.size) schedule();
    }
  };
  const schedule = () => {
    if (timer || busy || !wanted.size) return;
    timer = setTimeout(refresh, Math.max(0, last + REFRESH_MS - Date.now()));
  };

  let source = null;
  let heardAt = Date.now();
  let down = false;
  const heard = () => {
    heardAt = Date.now();
    if (!down) return;
    // Whatever happened meanwhile is fetched at once.
    down = false;
    lost.hidden = true;
    wanted.add("all");
    schedule();
  };
  const fail = () => {
    if (!down) {
      down = true;
      const at = new Date(heardAt);
      document.getElementById("lost-since").textContent =
        `${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;
      lost.hidden = false;
    }
    source?.close();
    source = null;
    setTimeout(connect, RETRY_MS);
  };
  const connect = () => {
    if (source) return;
    source = new EventSource(body.dataset.liveUrl);
    source.addEventListener("tick", (event) => { setNow(JSON.parse(event.data).now); heard(); });
    source.addEventListener("change", (event) => {
      heard();
      JSON.parse(event.data).topics.forEach((t) => wanted.add(t));
      schedule();
    });
    source.addEventListener("gone", () => location.reload());
    source.onerror = fail;
  };
  setInterval(() => { if (source && Date.now() - heardAt > SILENCE_MS) fail(); }, 1000);
  // A phone that slept missed everything.
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && source) { wanted.add("all"); schedule(); }
  });
  window.addEventListener("pagehide", () => { source?.close(); source = null; });
  window.addEventListener("pageshow", (event) => { if (event.persisted) { wanted.add("all"); connect(); } });
  connect();
})();
