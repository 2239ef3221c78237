/** Which points are looked at: stretches of figures and axes, added and taken back one by one. */
import { element } from "../components/element.ts"
import type { Brush, Field } from "./results.ts"
import { cellText, wordsOf } from "./words.ts"

export const brushForm = (
  fields: readonly Field[],
  brushes: readonly Brush[],
  change: (brushes: readonly Brush[]) => void
): HTMLElement => {
  const field = element(
    "select",
    { "aria-label": "Field to narrow" },
    ...fields.map(({ name }) => element("option", { value: name }, wordsOf(name).label))
  )
  const from = element("input", { type: "number", step: "any", "aria-label": "From", placeholder: "from" })
  const to = element("input", { type: "number", step: "any", "aria-label": "To", placeholder: "to" })
  const add = element("button", { type: "submit" }, "Look only at these")
  const form = element("form", { class: "brushes" }, field, from, to, add)
  form.addEventListener("submit", (event) => {
    event.preventDefault()
    const next = {
      field: field.value,
      from: from.value === "" ? -Number.MAX_VALUE : Number(from.value),
      to: to.value === "" ? Number.MAX_VALUE : Number(to.value)
    }
    if (next.from <= next.to) change([...brushes.filter((one) => one.field !== next.field), next])
  })
  const bound = (name: string, value: number, open: string): string =>
    Math.abs(value) === Number.MAX_VALUE ? open : cellText(name, value)
  return element(
    "div",
    { class: "brushes" },
    form,
    ...brushes.map((brush) => {
      const text = `${wordsOf(brush.field).label} ${bound(brush.field, brush.from, "…")} to ${bound(brush.field, brush.to, "…")}`
      const clear = element(
        "button",
        { type: "button", "aria-label": `No more narrow by ${text}` },
        `${text} ×`
      )
      clear.addEventListener("click", () => change(brushes.filter((one) => one !== brush)))
      return clear
    })
  )
}
