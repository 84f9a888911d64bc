// Charts from the numbers on the page, drawn as SVG. The same numbers stand beneath as a table.
import { getInstanceByDom, init } from "../vendor/echarts/echarts.min.js";

const SETS = {
  plain: ["#14616b", "#d08a1d", "#5c7fa8", "#8b6f9e", "#6d9a6a", "#b05a4f", "#8b979d"],
  grades: ["#3f8f61", "#4a82b8", "#d9962a", "#c2483c", "#aab4b8"],
  ages: ["#9dbfc3", "#5f989f", "#e3b45c", "#d98436", "#c2483c", "#8c251b"],
  buckets: ["#b5c9cc", "#7fa9ae", "#4c868e", "#14616b", "#7d6b9e", "#d8dfe0"],
};
const NAMED = { accent: "#14616b", green: "#3f8f61", amber: "#d9962a", red: "#c2483c", blue: "#4a82b8", purple: "#7d6b9e", grey: "#aab4b8" };
const INK = "#5b6870", LINE = "#edf0f1", FONT = getComputedStyle(document.body).fontFamily;
const chinese = document.documentElement.lang.startsWith("zh");

const grouped = (value, places) => value.toLocaleString("en-US", { minimumFractionDigits: places, maximumFractionDigits: places });

function told(value, unit) {
  if (value === null || value === undefined) return "—";
  if (unit === "amount") return grouped(value, 2);
  if (unit === "share") return `${grouped(value * 100, 1)}%`;
  return grouped(value, unit === "days" ? 1 : 0);
}

function brief(value, unit) {
  if (unit === "share") return `${grouped(value * 100, 0)}%`;
  const size = Math.abs(value);
  if (unit !== "amount" || size < 10000) return grouped(value, 0);
  if (chinese) return size >= 1e8 ? `${+(value / 1e8).toFixed(2)}亿` : `${+(value / 1e4).toFixed(1)}万`;
  return size >= 1e6 ? `${+(value / 1e6).toFixed(2)}m` : `${+(value / 1e3).toFixed(1)}k`;
}

function axes(data) {
  const names = { type: "category", data: data.labels, axisTick: { show: false }, axisLine: { lineStyle: { color: "#c9d1d4" } }, axisLabel: { color: INK, hideOverlap: true } };
  const values = { type: "value", minInterval: data.unit === "share" ? 0 : 1, axisLabel: { color: INK, formatter: (value) => brief(value, data.unit) }, splitLine: { lineStyle: { color: LINE } } };
  return data.kind === "across" ? { xAxis: values, yAxis: { ...names, inverse: true } } : { xAxis: names, yAxis: values };
}

function mark(data) {
  if (!data.mark) return undefined;
  const at = data.kind === "across" ? { xAxis: data.mark.value } : { yAxis: data.mark.value };
  return { silent: true, symbol: "none", lineStyle: { color: "#bf3326", type: "dashed" }, label: { formatter: data.mark.name, color: "#bf3326", position: data.kind === "across" ? "end" : "insideStartTop" }, data: [at] };
}

function series(data, colours) {
  const piled = data.kind === "stacked" || data.kind === "across";
  return data.series.map((each, at) => ({
    name: each.name, data: each.values, type: data.kind === "lines" ? "line" : "bar",
    stack: piled ? "all" : undefined, barMaxWidth: data.kind === "across" ? 18 : 34, symbolSize: 5, connectNulls: false,
    itemStyle: { color: NAMED[each.colour] ?? colours[at % colours.length] }, lineStyle: { width: 2 },
    emphasis: { disabled: true }, markLine: at === 0 ? mark(data) : undefined,
  }));
}

function donut(data, colours) {
  const values = data.series[0].values;
  return {
    tooltip: { trigger: "item", renderMode: "richText", confine: true, formatter: (at) => `${at.name}  ${told(at.value, data.unit)}  ${at.percent}%` },
    legend: { orient: "vertical", right: 0, top: "middle", icon: "rect", itemWidth: 10, itemHeight: 10, textStyle: { color: INK }, formatter: (name) => `${name}   ${told(values[data.labels.indexOf(name)], data.unit)}` },
    series: [{ type: "pie", radius: ["52%", "78%"], center: ["32%", "50%"], label: { show: false }, emphasis: { scale: false }, itemStyle: { borderColor: "#fff", borderWidth: 1.5 },
      data: data.labels.map((name, at) => ({ name, value: values[at], itemStyle: { color: colours[at % colours.length] } })) }],
  };
}

function drawing(data) {
  const colours = SETS[data.colours] ?? SETS.plain;
  const common = { animation: false, textStyle: { fontFamily: FONT, fontSize: 12 } };
  if (data.kind === "donut") return { ...common, ...donut(data, colours) };
  const legend = data.series.length > 1;
  return {
    ...common, ...axes(data), series: series(data, colours),
    grid: { left: 4, right: data.kind === "across" ? 28 : 12, top: legend ? 34 : 14, bottom: 4, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
    legend: legend ? { type: "scroll", pageIconSize: 10, top: 0, left: 0, right: 0, icon: "rect", itemWidth: 10, itemHeight: 10, itemGap: 10, textStyle: { color: INK } } : undefined,
    tooltip: { trigger: "axis", axisPointer: { type: data.kind === "lines" ? "line" : "shadow" }, renderMode: "richText", confine: true, textStyle: { fontSize: 12 }, valueFormatter: (value) => told(value, data.unit) },
  };
}

const watched = new ResizeObserver((entries) => entries.forEach(({ target }) => getInstanceByDom(target)?.resize()));

export function charts(from) {
  from.querySelectorAll("[data-chart]").forEach((figure) => {
    const canvas = figure.querySelector(".chart-canvas"), source = document.getElementById(figure.dataset.chart);
    if (!canvas || !source || getInstanceByDom(canvas)) return;
    init(canvas, null, { renderer: "svg" }).setOption(drawing(JSON.parse(source.textContent)));
    watched.observe(canvas);
  });
}
