/** The marks of a run: each goes to its moment, has a name to change, and can be removed. */
import { element } from "../components/element.ts"
import type { Mark } from "./marks.ts"
import { timeText } from "./numbers.ts"

/** `keep`: the marks there are after a change. */
export const markChips = (
  marks: readonly Mark[],
  go: (at: number) => void,
  keep: (marks: readonly Mark[]) => void
): readonly HTMLElement[] =>
  marks.map(({ at, name }, index) => {
    const when = timeText(at, 9)
    const to = element(
      "button",
      { type: "button", title: `Go to ${when}`, "aria-label": `Go to mark ${name} at ${when}` },
      "Go"
    )
    to.addEventListener("click", () => go(at))
    const label = element("input", {
      type: "text",
      value: name,
      size: Math.max(6, name.length),
      "aria-label": `Name of the mark at ${when}`
    })
    label.addEventListener("change", () => {
      const renamed = label.value.trim()
      if (renamed !== "") keep(marks.with(index, { at, name: renamed }))
    })
    const remove = element(
      "button",
      { type: "button", title: "Remove", "aria-label": `Remove mark ${name}` },
      "×"
    )
    remove.addEventListener("click", () => keep(marks.toSpliced(index, 1)))
    return element("span", { class: "mark" }, to, label, remove)
  })
