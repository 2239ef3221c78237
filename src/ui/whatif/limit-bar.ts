/** What a method's time went to, as one bar: the limiter in its colour, the rest muted; every share in words beside it. */
import { LIMITS, type Limit } from "../../trace/metrics.ts"
import { element } from "../components/element.ts"
import { LIMIT_WORDS, mainLimit } from "./verdict.ts"

const COLOURS: Readonly<Record<Limit, string>> = {
  hbm: "var(--hbm)",
  compute: "var(--compute)",
  link: "var(--link)",
  interconnect: "var(--interconnect)",
  host: "var(--host)",
  scheduling: "var(--scheduling)",
  idle: "var(--idle)"
}

/** Shares sum to 1. */
export const limitBar = (limits: Readonly<Record<Limit, number>>): HTMLElement => {
  const main = mainLimit(limits)
  const present = LIMITS.filter((limit) => limits[limit] > 0)
  const words = present
    .toSorted((a, b) => limits[b] - limits[a])
    .map((limit) => `${LIMIT_WORDS[limit]} ${(limits[limit] * 100).toFixed(1)} %`)
    .join(", ")
  return element(
    "div",
    { class: "limits", role: "img", "aria-label": words, title: `${words}; modelled` },
    ...present.map((limit) =>
      element("span", {
        class: limit === main ? "main" : "",
        style: `flex-grow:${limits[limit]};background-color:${COLOURS[limit]}`
      })
    )
  )
}
