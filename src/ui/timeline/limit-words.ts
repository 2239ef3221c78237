/** What limits the stretch in view, in words beside the colours of the lower strip, and how that is known. */
import { PASS_LIMITS, type PassShares } from "../../trace/pass-limits.ts"
import { element } from "../components/element.ts"
import { type Limit, LIMIT_COLOURS, LIMITS, type Limits, PASS_LIMIT_NAMES } from "./limits.ts"
import type { Viewport } from "./viewport.ts"

/** Smaller shares are not named. */
const NAMED = 0.0005

const DEFINITIONS: Readonly<Record<Limit, string>> = {
  "HBM bandwidth": "Time of passes that reading and writing HBM bounded",
  compute: "Time of passes that arithmetic bounded",
  interconnect: "Time of passes that collectives between GPUs bounded",
  "scheduling and launches":
    "Time of passes that the host bounded: launches, scheduling, the wait for a queue",
  "HBM at its peak rate": "Time that HBM needs for the bytes of the passes at the peak the trace names",
  "compute, launches and the rest": "The rest of passes: compute, launches, and HBM below its peak",
  "passes that do not say": "Passes that were measured: what bounded them nobody saw",
  link: "Transfers that no pass hides, and passes that wait for what streams in",
  "no work": "Neither a pass nor a transfer"
}

const HOW = {
  recorded: "What limits it, as the model priced the passes:",
  derived: "What limits it, judged by the bytes of passes, which do not say what bounded them:"
} as const

const UNKNOWN =
  "What limits it is not known: the trace says neither what bounded its passes, nor what HBM moved and could."

/** What bounded passes, the most first. Shares sum to 1. */
export const limitsText = (shares: PassShares): string =>
  PASS_LIMITS.filter((limit) => shares[limit] >= NAMED)
    .toSorted((a, b) => shares[b] - shares[a])
    .map((limit) => `${PASS_LIMIT_NAMES[limit]} ${(shares[limit] * 100).toFixed(1)} %`)
    .join(", ")

export class LimitWords {
  readonly #limits: Limits | undefined
  readonly #parts = LIMITS.map((limit) => ({
    limit,
    words: document.createTextNode(""),
    element: element("span", { title: DEFINITIONS[limit] })
  }))
  readonly element: HTMLElement

  /** Undefined: the trace does not say. */
  constructor(limits: Limits | undefined) {
    this.#limits = limits
    this.element = element("p", {
      class: "legend limiting",
      "data-limits": limits?.basis ?? "unknown",
      "data-provenance": limits?.basis === "recorded" ? "recorded in the trace" : "computed from the trace"
    })
    for (const { limit, words, element: part } of this.#parts)
      part.append(
        element("span", {
          class: "swatch",
          "aria-hidden": "true",
          style: `background:var(${LIMIT_COLOURS[limit]})`
        }),
        words
      )
    this.element.append(
      ...(limits === undefined ? [UNKNOWN] : [HOW[limits.basis], ...this.#parts.map((part) => part.element)])
    )
  }

  show({ from, to }: Viewport): void {
    const shares = this.#limits?.shares(from, to)
    if (shares === undefined) return
    for (const { limit, words, element: part } of this.#parts) {
      part.hidden = shares[limit] < NAMED
      words.textContent = `${limit} ${(shares[limit] * 100).toFixed(1)} %`
    }
  }
}
