/** Which two runs: open traces, files, methods of the scenario in What-if. */
import { element } from "../components/element.ts"
import { fileButton } from "../components/file-button.ts"
import { methodId } from "../shell/methods.ts"
import type { OpenTrace } from "../shell/traces.ts"
import type { ScenarioSummary } from "../workers/protocol.ts"
import type { Side } from "./lanes.ts"

export interface Offer {
  readonly open: readonly OpenTrace[]
  readonly methods: ScenarioSummary["methods"]
}

export class Chooser {
  readonly element: HTMLElement
  readonly #selects: Readonly<Record<Side, HTMLSelectElement>>
  readonly #start = element("button", { type: "button", class: "primary" })
  #pair: readonly [number, number] | undefined

  constructor(
    choose: (to: Readonly<Partial<Record<Side, string>>>) => void,
    open: (side: Side, file: File) => void
  ) {
    const select = (side: Side): HTMLSelectElement => {
      const made = element("select", { id: `compare-${side}`, "aria-label": `Run ${side.toUpperCase()}` })
      made.addEventListener("change", () => choose({ [side]: made.value }))
      return made
    }
    this.#selects = { a: select("a"), b: select("b") }
    const swap = element("button", { type: "button", title: "A becomes B and B becomes A" }, "Swap")
    swap.addEventListener("click", () => choose({ a: this.#selects.b.value, b: this.#selects.a.value }))
    this.#start.addEventListener("click", () => {
      if (this.#pair !== undefined) choose({ a: methodId(this.#pair[0]), b: methodId(this.#pair[1]) })
    })
    const side = (name: Side): readonly HTMLElement[] => {
      const letter = name.toUpperCase()
      return [
        element(
          "label",
          { class: `side ${name}`, for: `compare-${name}` },
          element("strong", {}, letter),
          this.#selects[name]
        ),
        fileButton(
          {
            text: `Open ${letter}…`,
            title: `Open a trace in JSON lines as ${letter}`,
            accept: ".jsonl",
            id: `compare-file-${name}`
          },
          ([file]) => open(name, file!)
        )
      ]
    }
    this.element = element(
      "section",
      { class: "card chooser", "aria-label": "Runs to compare" },
      ...side("a"),
      swap,
      ...side("b"),
      this.#start
    )
  }

  /** Shows what there is to choose from, and what is chosen. */
  show({ open, methods }: Offer, chosen: Readonly<Record<Side, string>>): void {
    for (const [side, select] of Object.entries(this.#selects)) {
      const id = chosen[side as Side]
      const known = open.some((one) => one.id === id) || methods.some((_, index) => methodId(index) === id)
      const group = (label: string, options: readonly HTMLElement[]): readonly HTMLElement[] =>
        options.length === 0 ? [] : [element("optgroup", { label }, ...options)]
      const option = (value: string, text: string): HTMLElement =>
        element("option", { value, selected: value === id }, text)
      select.replaceChildren(
        ...(known ? [] : [option(id, id === "" ? "choose a run" : id)]),
        ...group(
          "Simulate a method of the scenario in What-if",
          methods.map(({ name }, index) => option(methodId(index), name))
        ),
        ...group(
          "Open traces",
          open.map((one) => option(one.id, one.name))
        )
      )
    }
    this.#pair = defaultPair(methods)
    this.#start.hidden = this.#pair === undefined || (chosen.a !== "" && chosen.b !== "")
    if (this.#pair !== undefined)
      this.#start.textContent = `Compare ${methods[this.#pair[0]]!.name} with ${methods[this.#pair[1]]!.name}`
  }
}

/** Full KV beside VeriCache, or the first two methods there are. */
const defaultPair = (methods: ScenarioSummary["methods"]): readonly [number, number] | undefined => {
  if (methods.length < 2) return undefined
  const ours = methods.findIndex(({ kind }) => kind === "vericache")
  const full = methods.findIndex(({ kind }) => kind === "full-kv")
  return ours < 0 || full < 0 ? [0, 1] : [full, ours]
}
