/** The scenario's text, with its faults where they are: the line marked, the field underlined, the message behind it. */
import { element } from "../components/element.ts"
import type { Fault } from "../../scenario/fault.ts"

const words = ({ field, message, suggestion }: Fault): string =>
  `${field === "" ? "" : `${field}: `}${message}${suggestion === undefined ? "" : `; ${suggestion}`}`

/** From a fault's column to the end of what stands there. */
const endOf = (line: string, column: number): number => {
  const rest = line.slice(column - 1).search(/[\s,}\]]/)
  return rest <= 0 ? Math.max(column, line.length) : column - 1 + rest
}

export class Editor {
  readonly root: HTMLElement
  readonly #text = element("textarea", {
    "aria-label": "Scenario, YAML",
    "aria-describedby": "scenario-faults",
    spellcheck: "false",
    wrap: "off"
  })
  /** The same lines underneath: what they are marked with shows through. */
  readonly #marks = element("div", { class: "marks", "aria-hidden": "true" })
  readonly #status = element("p", { class: "small muted", role: "status" })
  readonly #list = element("ul", { class: "faults", id: "scenario-faults" })
  #file = ""
  #faults: readonly Fault[] = []
  #edited = false

  /** `changed`: somebody typed; `apply`: Ctrl+Enter. */
  constructor(changed: () => void, apply: () => void) {
    this.root = element(
      "div",
      { class: "editor" },
      element("div", { class: "sheet" }, element("div", { class: "page" }, this.#marks, this.#text)),
      this.#status,
      this.#list
    )
    this.#text.addEventListener("input", () => {
      this.#edited = true
      this.#draw()
      changed()
    })
    this.#text.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return
      event.preventDefault()
      apply()
    })
  }

  get text(): string {
    return this.#text.value
  }

  /** Shows a text; one that somebody edits and has not applied stays. */
  offer(file: string, text: string): void {
    if (this.#edited && file === this.#file) return
    this.#file = file
    this.#edited = false
    if (text !== this.#text.value) this.#text.value = text
    this.#draw()
  }

  /** What was edited is taken: the next text offered replaces it. */
  take(): void {
    this.#edited = false
  }

  /** What is wrong with the text as it stands; nothing: it can be simulated. */
  set faults(faults: readonly Fault[]) {
    this.#faults = faults
    this.#text.setAttribute("aria-invalid", String(faults.length > 0))
    this.#status.textContent =
      faults.length > 0
        ? `${faults.length} ${faults.length === 1 ? "fault" : "faults"}:`
        : this.#edited
          ? "No faults. Apply (Ctrl+Enter) simulates it."
          : ""
    this.#list.replaceChildren(...faults.map((fault) => this.#entry(fault)))
    this.#draw()
  }

  /** Puts the cursor where the first fault is. */
  goToFault(): void {
    const [first] = this.#faults
    if (first !== undefined) this.#goTo(first)
  }

  #entry(fault: Fault): HTMLElement {
    const here = fault.file === this.#file
    const place = `${here ? "" : `${fault.file}, `}line ${fault.line}`
    if (!here) return element("li", {}, `${place}: ${words(fault)}`)
    const button = element("button", { type: "button", "aria-label": `Go to ${place}` }, place)
    button.addEventListener("click", () => this.#goTo(fault))
    return element("li", {}, button, ` ${words(fault)}`)
  }

  #goTo({ line, column }: Fault): void {
    const lines = this.text.split("\n")
    const before = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0)
    this.#text.focus()
    this.#text.setSelectionRange(before + column - 1, before + endOf(lines[line - 1] ?? "", column))
    this.#marks.children[line - 1]?.scrollIntoView({ block: "nearest" })
  }

  #draw(): void {
    const own = Map.groupBy(
      this.#faults.filter(({ file }) => file === this.#file),
      ({ line }) => line
    )
    this.#marks.replaceChildren(
      ...this.text.split("\n").map((line, i) => {
        const faults = own.get(i + 1)
        if (faults === undefined) return element("div", { class: "line" }, line)
        const column = Math.min(...faults.map((fault) => fault.column))
        const end = endOf(line, column)
        return element(
          "div",
          { class: "line bad" },
          line.slice(0, column - 1),
          element("span", { class: "field" }, line.slice(column - 1, end)),
          line.slice(end),
          element("span", { class: "message" }, faults.map(words).join(" · "))
        )
      })
    )
  }
}
