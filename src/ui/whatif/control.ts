/** A slider or a picker for a field of the scenario. */
import { element } from "../components/element.ts"
import type { Control } from "../workers/protocol.ts"

type Set = (field: string, value: string | number | undefined) => void

/** Units that are not written into the file: numbers there are of these anyway. */
const BARE: ReadonlySet<string> = new Set(["", "tokens", "requests"])

/** Three significant digits; tokens and counts whole. */
const rounded = (value: number, unit: string): number =>
  unit === "tokens" || value >= 100 ? Math.round(value) : Number(value.toPrecision(3))

export const controlFor = (control: Control, set: Set): HTMLElement => {
  const { label, field, definition, basis, source, value, unit, range, options } = control
  const title = `${definition}. ${basis}: ${source}`
  if (range === undefined) {
    const select = element("select", {}, ...(options ?? []).map((name) => element("option", {}, name)))
    select.value = String(value)
    select.addEventListener("change", () => set(field, select.value))
    return element("label", { title, "data-provenance": basis }, label, select)
  }
  const { min, max, log } = range
  const place = (x: number): number =>
    log ? Math.log(x / min) / Math.log(max / min) : (x - min) / (max - min)
  const at = (x: number): number => (log ? min * (max / min) ** x : min + x * (max - min))
  const words = (one: number | string | undefined): string =>
    typeof one === "number" ? `${rounded(one, unit)} ${unit}`.trim() : (one ?? "–")
  const slider = element("input", {
    type: "range",
    min: 0,
    max: 1,
    step: 0.005,
    "aria-valuetext": words(value)
  })
  slider.value = String(typeof value === "number" ? place(value) : 0.5)
  const shown = element("output", {}, words(value))
  slider.addEventListener("input", () => {
    const counted = unit === "tokens" || field.endsWith("concurrency")
    const next = counted
      ? Math.max(1, Math.round(at(Number(slider.value))))
      : rounded(at(Number(slider.value)), unit)
    shown.textContent = words(next)
    slider.setAttribute("aria-valuetext", words(next))
    set(field, BARE.has(unit) ? next : `${next} ${unit}`)
  })
  const back = element("button", { type: "button", "aria-label": `Reset ${label}`, title: "Reset" }, "×")
  back.addEventListener("click", () => {
    slider.value = String(typeof value === "number" ? place(value) : 0.5)
    shown.textContent = words(value)
    set(field, undefined)
  })
  return element(
    "div",
    { class: "slider", title, "data-provenance": basis },
    element("label", {}, element("span", {}, label), slider),
    shown,
    back
  )
}
