/** Numbers with a name, a unit and where they come from: on hover, on focus, and to screen readers. */
import { element } from "../components/element.ts"

export interface Figure {
  readonly name: string
  /** What it means and how it was had. */
  readonly definition: string
}

/** A list of figures whose values change while a run goes on. */
export class Figures<K extends string> {
  readonly root = element("dl", { class: "figures" })
  readonly #values = new Map<K, HTMLElement>()

  constructor(figures: Readonly<Record<K, Figure>>) {
    for (const key of Object.keys(figures) as K[]) {
      const { name, definition } = figures[key]
      const value = element("dd", {}, "–")
      this.#values.set(key, value)
      this.root.append(
        element(
          "div",
          { title: `${definition} Measured.`, "data-provenance": "measured" },
          element("dt", {}, name),
          value
        )
      )
    }
  }

  set(values: Readonly<Partial<Record<K, string>>>): void {
    for (const [key, text] of Object.entries(values) as [K, string][])
      this.#values.get(key)!.textContent = text
  }

  /** As before the first run. */
  clear(): void {
    for (const value of this.#values.values()) value.textContent = "–"
  }
}
