/** What a screen shows that has nothing to show yet: its question, and ways to begin. */
import { element } from "./element.ts"

export const openingCard = (question: string, how: string, ...ways: readonly Node[]): HTMLElement =>
  element(
    "section",
    { class: "card opening" },
    element("h1", {}, question),
    element("p", { class: "muted" }, how),
    element("div", { class: "ways" }, ...ways)
  )
