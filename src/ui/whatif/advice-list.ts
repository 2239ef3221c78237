/** What would help: simulated changes by what they bring, each to be applied with a click. */
import { element } from "../components/element.ts"
import type { Change } from "../shell/page-state.ts"

/** A change that was simulated. */
export interface Advice {
  readonly label: string
  readonly change: Change
  /** tok/s with it. */
  readonly throughput: number
}

/** Less than this is not worth a change. */
const WORTHWHILE = 0.02
/** Shown at most, and at most so many of one field. */
const MOST = 5

/** The changes worth making, best first, the best of each field only. `now`: tok/s without any. */
export const ranked = (advice: readonly Advice[], now: number): readonly Advice[] => {
  const best = new Map<string, Advice>()
  for (const one of advice) {
    const other = best.get(one.change.field)
    if (other === undefined || one.throughput > other.throughput) best.set(one.change.field, one)
  }
  return [...best.values()]
    .filter(({ throughput }) => throughput > now * (1 + WORTHWHILE))
    .toSorted((a, b) => b.throughput - a.throughput)
    .slice(0, MOST)
}

/** `against`: tok/s that ratios are of, and what it is called. */
export const adviceList = (
  advice: readonly Advice[],
  now: number,
  against: { readonly name: string; readonly throughput: number } | undefined,
  apply: (change: Change) => void
): HTMLElement =>
  element(
    "ol",
    { class: "advice" },
    ...advice.map(({ label, change, throughput }) => {
      const button = element("button", { type: "button", "aria-label": `Apply: ${label}` }, "Apply")
      button.addEventListener("click", () => apply(change))
      const ratio =
        against === undefined ? "" : `${(throughput / against.throughput).toFixed(2)}× ${against.name}, `
      return element(
        "li",
        {},
        button,
        element(
          "span",
          {
            "data-provenance": "modelled",
            title: "All requests of the scenario simulated with this one change; modelled"
          },
          ` ${label[0]!.toUpperCase()}${label.slice(1)}: ${ratio}${throughput.toPrecision(3)} tok/s (+${((throughput / now - 1) * 100).toFixed(0)} %)`
        )
      )
    })
  )
