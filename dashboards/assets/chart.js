// The day chart: fetches the series of a factor and draws them with uPlot, the limit as a dashed
// line with its words beside it. Everything it shows stands in the table below it as well.
(() => {
  "use strict";
  const box = document.getElementById("chart");
  if (!box || !window.uPlot) return;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  let plot = null;
  let shown = null;

  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const pad = (n) => String(n).padStart(2, "0");

  const seriesOf = (s, data) => {
    const value = (_, v) => (v == null ? "—" : `${v.toFixed(data.decimals)} ${data.unit}`);
    const base = { label: s.label, value, spanGaps: true };
    switch (s.kind) {
      case "hour":
        return { ...base, stroke: color("--accent"), width: 2.5, points: { show: true, size: 6 } };
      case "converted":
        return { ...base, stroke: color("--violet"), width: 2.5, dash: [2, 3], points: { show: true, size: 6 } };
      case "invalid":
        return { ...base, stroke: color("--blue"), width: 0, paths: () => null, points: { show: true, size: 5, fill: color("--card") } };
      default:
        return { ...base, stroke: color("--bar"), width: 1, points: { show: false } };
    }
  };

  const drawLimits = (u, data) => {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = color("--red");
    ctx.lineWidth = 2 * devicePixelRatio;
    ctx.setLineDash([8 * devicePixelRatio, 5 * devicePixelRatio]);
    ctx.font = `600 ${12 * devicePixelRatio}px system-ui, sans-serif`;
    for (const limit of data.limits) {
      const y = u.valToPos(limit.y, "y", true);
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
      ctx.textAlign = "left";
      ctx.fillText(limit.label, bbox.left + 6 * devicePixelRatio, y - 5 * devicePixelRatio);
    }
    ctx.restore();
  };

  const draw = (data) => {
    shown = data;
    plot?.destroy();
    plot = null;
    box.textContent = "";
    if (!data.x.length) {
      const empty = document.createElement("div");
      empty.className = "chart-empty";
      empty.textContent = data.empty;
      box.append(empty);
      return;
    }
    const axis = { stroke: color("--muted"), grid: { stroke: color("--line"), width: 1 }, ticks: { stroke: color("--line"), width: 1 } };
    const values = data.series.flatMap((s) => s.y).filter((v) => v != null);
    const ends = [...values, ...data.limits.map((l) => l.y)];
    const low = Math.min(0, ...ends);
    const high = Math.max(...ends);
    const clock = (s) => { const at = new Date((s + data.offset_minutes * 60) * 1000); return `${pad(at.getUTCHours())}:${pad(at.getUTCMinutes())}`; };
    const narrow = box.clientWidth < 560;
    const hours = narrow ? 6 : 3;
    const step = hours * 3600;
    const splits = [];
    for (let at = data.from; at <= data.until; at += step) splits.push(at);
    plot = new uPlot({
      width: box.clientWidth,
      height: narrow ? 250 : 300,
      scales: { x: { time: false, range: [data.from, data.until] }, y: { range: [low, high + (high - low) * 0.12 || 1] } },
      axes: [
        { ...axis, splits: () => splits, values: (_, v) => v.map((s) => (s === data.until ? "24:00" : clock(s))) },
        { ...axis, label: data.unit || undefined, labelSize: 18, labelFont: "12px system-ui, sans-serif", size: 46 },
      ],
      series: [{ label: data.time, value: (_, s) => (s == null ? "—" : clock(s)) }, ...data.series.map((s) => seriesOf(s, data))],
      hooks: { draw: [(u) => drawLimits(u, data)] },
      cursor: { drag: { x: false, y: false } },
    }, [data.x, ...data.series.map((s) => s.y)], box);
  };

  let loading = false;
  const load = async () => {
    if (loading) return;
    loading = true;
    try {
      const answer = await fetch(box.dataset.chart, { cache: "no-store" });
      if (answer.ok) {
        const data = await answer.json();
        if (JSON.stringify(data) !== JSON.stringify(shown)) draw(data);
      }
    } catch { /* the banner of the page says that the line is down */ } finally { loading = false; }
  };
  const redraw = () => { if (shown) draw(shown); };
  dark.addEventListener("change", redraw);
  let width = box.clientWidth;
  new ResizeObserver(() => { if (box.clientWidth !== width) { width = box.clientWidth; redraw(); } }).observe(box);
  document.addEventListener("cems:changed", (event) => {
    if (event.detail.some((t) => t === "all" || t === "registry" || t === box.dataset.topic)) load();
  });
  load();
})();
