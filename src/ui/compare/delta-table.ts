/** Phases of both runs, their difference and ratio; every time says whether it was measured or modelled. */
import type { TraceMeta } from "../../trace/store.ts"
import { exportButtons } from "../components/download.ts"
import { element } from "../components/element.ts"
import { timeText } from "../timeline/numbers.ts"
import { difference, type PhaseDelta, type Quantity, QUANTITIES, ratio } from "./phases.ts"
import { signedTime } from "./words.ts"

const DEFINITIONS: Readonly<Record<Quantity, string>> = {
  count: "How often it happened",
  mean: "Mean time of one",
  p50: "Half of them took no longer",
  p95: "95 % of them took no longer (nearest rank)",
  total: "Time of all of them together"
}

export interface Bases {
  readonly a: TraceMeta["basis"]
  readonly b: TraceMeta["basis"]
}

export const deltaTable = (
  phases: readonly PhaseDelta[],
  bases: Bases,
  shown: Quantity,
  choose: (quantity: Quantity) => void
): HTMLElement => {
  const basis = bases.a === bases.b ? bases.a : `${bases.a} and ${bases.b}`
  const write = (value: number | undefined): string =>
    value === undefined ? "–" : shown === "count" ? String(value) : timeText(value, 4)
  const number = (text: string, provenance: string, what: string, attributes = {}): HTMLElement =>
    element(
      "td",
      { class: "number", "data-provenance": provenance, title: `${what}; ${provenance}`, ...attributes },
      text
    )
  const picker = element(
    "select",
    { id: "compare-quantity", "aria-label": "show" },
    ...QUANTITIES.map((name) =>
      element("option", { value: name, selected: name === shown, title: DEFINITIONS[name] }, name)
    )
  )
  picker.addEventListener("change", () => choose(QUANTITIES[picker.selectedIndex]!))
  const head = (text: string, title: string): HTMLElement =>
    element("th", { scope: "col", class: "number", title }, text)
  const has = ({ a, b }: PhaseDelta): boolean => a[shown] !== undefined || b[shown] !== undefined
  const totals = phases.filter((phase) => !has(phase)).map(({ phase }) => phase)
  const rows = phases.filter(has).map((phase) => {
    const change = difference(phase, shown)
    const factor = ratio(phase, shown)
    const sign = change === undefined || change === 0 ? "none" : change > 0 ? "longer" : "shorter"
    return element(
      "tr",
      {},
      element("th", { scope: "row", title: phase.definition }, phase.phase),
      number(write(phase.a[shown]), bases.a, DEFINITIONS[shown]),
      number(write(phase.b[shown]), bases.b, DEFINITIONS[shown]),
      number(
        change === undefined
          ? "–"
          : shown === "count"
            ? `${change > 0 ? "+" : ""}${change}`.replace("-", "−")
            : signedTime(change),
        basis,
        "B − A",
        { "data-sign": sign }
      ),
      number(factor === undefined ? "–" : `${factor.toFixed(3)}×`, basis, "B / A")
    )
  })
  return element(
    "section",
    { class: "card", "aria-label": "Phases" },
    element(
      "header",
      {},
      element("h2", {}, "By phase"),
      element("label", { class: "pick", for: "compare-quantity" }, "show ", picker),
      exportButtons({ name: "compare-phases", table: () => csvRows(phases, bases) })
    ),
    element(
      "div",
      { class: "scroll", tabindex: "0", role: "group", "aria-label": "Table of phases" },
      element(
        "table",
        { class: "deltas" },
        element(
          "thead",
          {},
          element(
            "tr",
            {},
            element("th", { scope: "col" }, "phase"),
            head("A", `${DEFINITIONS[shown]}, ${bases.a}`),
            head("B", `${DEFINITIONS[shown]}, ${bases.b}`),
            head("B − A", "Difference of the two"),
            head("B / A", "Ratio of the two")
          )
        ),
        element("tbody", {}, ...rows)
      )
    ),
    element(
      "p",
      { class: "muted small" },
      `${DEFINITIONS[shown]}. A is ${bases.a}, B is ${bases.b}.${
        totals.length === 0 ? "" : ` Only totals are known of ${totals.join(" and ")}: show those.`
      }`
    )
  )
}

const csvRows = (phases: readonly PhaseDelta[], bases: Bases): readonly (readonly (string | number)[])[] => [
  ["phase", "quantity", "unit", "A", "basis A", "B", "basis B", "B - A", "B / A"],
  ...phases.flatMap((phase) =>
    QUANTITIES.map((quantity) => [
      phase.phase,
      quantity,
      quantity === "count" ? "" : "ns",
      phase.a[quantity] ?? "",
      bases.a,
      phase.b[quantity] ?? "",
      bases.b,
      difference(phase, quantity) ?? "",
      ratio(phase, quantity) ?? ""
    ])
  )
]
