/** What went wrong and what can be done, in place of what it would have shown. */
import { element } from "./element.ts"

/** `what`: a sentence; `how`: what a person can do about it, or more of what happened. */
export const failure = (what: string, ...how: readonly string[]): HTMLElement =>
  element(
    "section",
    { class: "failure", role: "alert" },
    element("strong", {}, what),
    ...how.map((line) => element("p", {}, line))
  )
