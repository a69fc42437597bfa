// What becomes of messages, as it happens. The rows that the page came with stay until newer ones come.
"use strict";
(() => {
  const table = document.getElementById("live");
  const body = table.tBodies[0];
  const most = Math.min(Number(table.dataset.rows) || 200, 200);
  const badge = document.getElementById("live-state");
  const pause = document.getElementById("live-pause");
  const byState = document.getElementById("live-by-state");
  const byJid = document.getElementById("live-by-jid");
  const rate = document.getElementById("live-rate");
  const TONES = { delivered: "good", queued: "wait", sent: "wait", expired: "wait", evicted: "bad", gone: "bad" };
  const arrivals = [];
  let paused = false, failures = 0, held = [];
  let link = { text: "connecting", tone: "plain" };

  // A pause is news only while something could come.
  function draw() {
    const pausing = { text: held.length ? `paused, ${held.length} new` : "paused", tone: "wait" };
    const { text, tone } = paused && link.tone === "good" ? pausing : link;
    badge.textContent = text;
    badge.className = `pill ${tone}`;
  }
  const linked = (text, tone) => { link = { text, tone }; draw(); };
  const wanted = (state, words) => (!byState || !byState.value || byState.value === state)
    && (!byJid || !byJid.value.trim() || words.toLowerCase().includes(byJid.value.trim().toLowerCase()));
  const duration = (ms) => ms === null || ms === undefined ? "–" : ms < 1000 ? `${Math.round(ms)} ms`
    : ms < 90000 ? `${(ms / 1000).toFixed(ms < 10000 ? 1 : 0)} s` : ms < 5400000 ? `${Math.round(ms / 60000)} min` : `${Math.round(ms / 3600000)} h`;
  const size = (bytes) => bytes < 1024 ? `${bytes} B` : `${(bytes / 1024).toFixed(1)} KB`;

  function cell(row, content, className) {
    const td = row.insertCell();
    td.append(content);
    if (className) td.className = className;
    return td;
  }

  function pill(state) {
    const span = document.createElement("span");
    span.className = `pill ${TONES[state] || "plain"}`;
    span.textContent = state;
    return span;
  }

  function isolated(text) {
    const bdi = document.createElement("bdi");
    bdi.className = "other";
    bdi.textContent = text;
    return bdi;
  }

  function add(event) {
    // What waited when the page came has a row already.
    const before = [...body.rows].find((row) => row.dataset.id === event.id);
    if (before) before.remove();
    const row = body.insertRow(0);
    row.className = "new";
    row.dataset.id = event.id;
    row.dataset.state = event.state;
    row.dataset.words = `${event.jid} ${event.application}`;
    const link = document.createElement("a");
    link.href = `${table.dataset.find}?q=${encodeURIComponent(event.id)}`;
    link.textContent = new Date(event.time).toISOString().slice(11, 19);
    cell(row, link);
    const state = cell(row, pill(event.state));
    if (event.condition) {
      const why = document.createElement("span");
      why.className = "quiet";
      why.textContent = ` ${event.condition}`;
      state.append(why);
    }
    cell(row, isolated(event.jid));
    cell(row, event.application);
    cell(row, duration(event.delay), "num");
    cell(row, size(event.size), "num");
    row.hidden = !wanted(event.state, row.dataset.words);
  }

  function show(events) {
    events.slice(-most).forEach(add);
    while (body.rows.length > most) body.deleteRow(-1);
  }

  function take(events) {
    const now = Date.now();
    arrivals.push(...events.map(() => now));
    if (paused) held = [...held, ...events].slice(-most);
    else show(events);
    draw();
  }

  function connect() {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}/ws/live/`);
    socket.addEventListener("open", () => { failures = 0; linked("live", "good"); });
    socket.addEventListener("message", (message) => {
      const events = JSON.parse(message.data);
      if (Array.isArray(events)) take(events);
    });
    socket.addEventListener("close", (event) => {
      if (event.code === 4403) { linked("not permitted", "bad"); return; }
      failures += 1;
      linked("reconnecting", "wait");
      // 1 s, doubled up to 30 s; spread, so that not all browsers come back in the same moment.
      setTimeout(connect, Math.min(1000 * 2 ** (failures - 1), 30000) * (0.75 + Math.random() / 2));
    });
  }

  pause.addEventListener("click", () => {
    paused = !paused;
    pause.textContent = paused ? "Resume" : "Pause";
    pause.setAttribute("aria-pressed", String(paused));
    if (!paused) {
      show(held);
      held = [];
    }
    draw();
  });
  for (const control of [byState, byJid]) {
    if (control) control.addEventListener("input", () => {
      for (const row of body.rows) {
        const state = row.dataset.state || row.cells[1].textContent.trim();
        row.hidden = !wanted(state, row.dataset.words || `${row.cells[2].textContent} ${row.cells[3].textContent}`);
      }
    });
  }
  const form = document.getElementById("live-filter");
  if (form) form.addEventListener("submit", (event) => event.preventDefault());
  if (rate) setInterval(() => {
    const since = Date.now() - 60000;
    while (arrivals.length && arrivals[0] < since) arrivals.shift();
    rate.textContent = String(arrivals.length);
  }, 1000);
  connect();
})();
