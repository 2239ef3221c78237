/** What limits the stretch in view, in words beside the colours of the lower strip. */
import { element } from "../components/element.ts"
import { type Limit, LIMIT_COLOURS, LIMITS } from "./limits.ts"

/** Smaller shares are not named. */
const NAMED = 0.0005

const DEFINITIONS: Readonly<Record<Limit, string>> = {
  "HBM at its peak rate": "Time that HBM needs for the bytes of the passes at the peak the trace names",
  "compute, launches and the rest": "The rest of passes: compute, launches, and HBM below its peak",
  link: "Transfers that no pass hides",
  "no work": "Neither a pass nor a transfer"
}

export class LimitWords {
  readonly #parts = LIMITS.map((limit) => ({
    limit,
    words: document.createTextNode(""),
    element: element("span", { title: DEFINITIONS[limit] })
  }))
  readonly element = element("p", {
    class: "legend limiting",
    "data-limits": "",
    "data-provenance": "computed from the trace"
  })

  constructor() {
    for (const { limit, words, element: part } of this.#parts)
      part.append(
        element("span", {
          class: "swatch",
          "aria-hidden": "true",
          style: `background:var(${LIMIT_COLOURS[limit]})`
        }),
        words
      )
    this.element.append("What limits it:", ...this.#parts.map((part) => part.element))
  }

  /** Undefined: the trace does not say. */
  show(shares: Readonly<Record<Limit, number>> | undefined): void {
    this.element.hidden = shares === undefined
    for (const { limit, words, element: part } of this.#parts) {
      const share = shares?.[limit] ?? 0
      part.hidden = share < NAMED
      words.textContent = `${limit} ${(share * 100).toFixed(1)} %`
    }
  }
}
