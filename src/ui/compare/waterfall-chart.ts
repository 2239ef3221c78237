/** From A's time to B's, step by step. */
import { exportButtons } from "../components/download.ts"
import { element, svg } from "../components/element.ts"
import { timeText } from "../timeline/numbers.ts"
import type { Bases } from "./delta-table.ts"
import { signPatterns } from "./patterns.ts"
import type { Waterfall } from "./waterfall.ts"
import { signedPercent, signedTime } from "./words.ts"

const ROW = 30
const BAR = 20

export const waterfallCard = (falls: Waterfall, bases: Bases): HTMLElement => {
  const holder = element("div")
  let frame = 0
  new ResizeObserver(() => {
    cancelAnimationFrame(frame)
    frame = requestAnimationFrame(() =>
      holder.replaceChildren(chart(falls, bases, Math.max(280, holder.clientWidth)))
    )
  }).observe(holder)
  const per = falls.per === "run" ? "of the run" : `per ${falls.per}`
  return element(
    "section",
    { class: "card", "aria-label": "What explains the difference" },
    element(
      "header",
      {},
      element("h2", {}, `Explained by, ${per}`),
      exportButtons({
        name: "compare-waterfall",
        chart: () => holder.querySelector("svg") ?? undefined,
        table: () => csvRows(falls, bases)
      })
    ),
    holder,
    element(
      "p",
      { class: "muted small" },
      `${
        falls.per === "run" ? "The time of each run" : `The time of each run over its ${falls.per}s`
      }, split by what the GPU groups did: a moment goes to the first of verify, prefill, decode and draft that runs, then to a transfer nothing hides, else it is idle. The steps stand in this order and sum to the difference.`
    )
  )
}

const chart = ({ a, b, steps }: Waterfall, bases: Bases, width: number): SVGSVGElement => {
  const shown = steps.filter((step) => step.a > 0 || step.b > 0)
  const rows = shown.length + 2
  const [left, right] = [Math.min(130, width * 0.3), 128]
  let level = a
  const levels = shown.map(({ change }) => ({ from: level, to: (level += change) }))
  const most = Math.max(1, a, b, ...levels.map(({ to }) => to))
  const least = Math.min(0, ...levels.map(({ to }) => to))
  const x = (ns: number): number => left + ((ns - least) / (most - least)) * (width - left - right)
  const label = (text: string, y: number): SVGTextElement =>
    svg("text", { x: left - 8, y: y + 14, "text-anchor": "end", class: "label" }, text)
  const value = (text: string, y: number, basis: string, what: string): SVGTextElement =>
    svg(
      "text",
      { x: width, y: y + 14, "text-anchor": "end", class: "value", "data-provenance": basis },
      text,
      svg("title", {}, `${what}; ${basis}`)
    )
  const total = (name: "A" | "B", ns: number, y: number, basis: string): readonly SVGElement[] => [
    label(name, y),
    svg(
      "rect",
      { x: x(0), y, width: Math.max(1, x(ns) - x(0)), height: BAR, class: `total ${basis}`, rx: 2 },
      svg("title", {}, `${name} takes ${timeText(ns, 5)}, ${basis}`)
    ),
    value(timeText(ns, 4), y, basis, `Time of ${name}`)
  ]
  const basis = bases.a === bases.b ? bases.a : `${bases.a} and ${bases.b}`
  const bars = shown.flatMap(({ what, change, ...both }, index) => {
    const y = (index + 1) * ROW
    const { from, to } = levels[index]!
    const sign = change > 0 ? "longer" : change < 0 ? "shorter" : "none"
    const box = {
      x: Math.min(x(from), x(to)),
      y,
      width: Math.max(1, Math.abs(x(to) - x(from))),
      height: BAR
    }
    const said = `${what}: ${timeText(both.a, 4)} in A, ${timeText(both.b, 4)} in B`
    return [
      label(what, y),
      svg("line", { x1: x(from), x2: x(from), y1: y - (ROW - BAR), y2: y, class: "joint" }),
      svg("rect", { ...box, class: sign }, svg("title", {}, said)),
      ...(change === 0
        ? []
        : [svg("rect", { ...box, fill: `url(#falls-${sign})`, "pointer-events": "none" })]),
      value(
        change === 0 || a === 0 ? "0" : `${signedTime(change)} (${signedPercent(change / a)})`,
        y,
        basis,
        `What ${what} adds to the time of A, and the share of that`
      )
    ]
  })
  const picture = svg(
    "svg",
    {
      class: "chart falls",
      viewBox: `0 0 ${width} ${rows * ROW}`,
      role: "img",
      "aria-label": `From A, ${timeText(a, 4)}, to B, ${timeText(b, 4)}: ${shown
        .map(({ what, change }) => `${what} ${signedTime(change)}`)
        .join(", ")}`
    },
    signPatterns("falls"),
    ...total("A", a, 0, bases.a),
    ...bars,
    ...total("B", b, (rows - 1) * ROW, bases.b)
  )
  return picture
}

const csvRows = (
  { a, b, steps, per }: Waterfall,
  bases: Bases
): readonly (readonly (string | number)[])[] => [
  ["step", "per", "A ns", `B ns`, "B - A ns", "basis"],
  ["total", per, a, b, b - a, `${bases.a} and ${bases.b}`],
  ...steps.map((step) => [step.what, per, step.a, step.b, step.change, `${bases.a} and ${bases.b}`])
]
