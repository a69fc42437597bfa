// Deliveries per hour, and failures below on an axis of their own: on the same axis nobody sees them.
"use strict";
(() => {
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const faded = (name) => colour(name) + "28";

  const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  function moments(_plot, seconds, _axis, _space, step) {
    return seconds.map((one) => {
      const when = new Date(one * 1000);
      const day = `${when.getUTCDate()} ${MONTHS[when.getUTCMonth()]}`;
      const hour = `${String(when.getUTCHours()).padStart(2, "0")}:00`;
      return step >= 86400 ? day : hour === "00:00" ? `${hour}\n${day}` : hour;
    });
  }

  function options(width, height, series, legend) {
    const axis = { stroke: colour("--quiet"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: "12px sans-serif" };
    return {
      width, height,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
      cursor: { sync: { key: "hours" }, points: { size: 6 } },
      legend: { show: true, live: true },
      scales: { y: { range: (_plot, _low, high) => [0, Math.max(high || 0, 4) * 1.08] } },
      axes: [{ ...axis, space: 70, size: 40, values: moments }, { ...axis, size: 52, space: 22, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 50000, 100000, 1000000] }],
      series: [{ label: legend, value: "{YYYY}-{MM}-{DD} {HH}:{mm}" }, ...series],
    };
  }

  function line(label, name) {
    return { label, stroke: colour(name), fill: faded(name), width: 2, points: { show: false } };
  }

  function draw(box) {
    const data = JSON.parse(box.dataset.figures);
    box.replaceChildren();
    const width = box.clientWidth;
    const narrow = width < 500;
    new uPlot(options(width, narrow ? 180 : 230, [line("Delivered", "--chart-good")], "Time"), [data.time, data.delivered], box);
    const bad = [line("Expired", "--chart-wait"), line("Failed", "--chart-bad")];
    new uPlot(options(width, narrow ? 110 : 130, bad, "Time"), [data.time, data.expired, data.failed], box);
  }

  function start() {
    const boxes = [...document.querySelectorAll(".chart[data-figures]")];
    const all = () => boxes.forEach(draw);
    all();
    new MutationObserver(all).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", all);
    let timer = 0, width = window.innerWidth;
    window.addEventListener("resize", () => {
      if (window.innerWidth === width) return;
      width = window.innerWidth;
      clearTimeout(timer);
      timer = setTimeout(all, 150);
    });
  }
  start();
})();
