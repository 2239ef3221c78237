/** The labels of the rows: a tree in which rows are collapsed, pinned and gone through by keyboard. */
import { element } from "../components/element.ts"
import { ROW_HEIGHT } from "./layout.ts"
import type { Looking } from "./looking.ts"
import type { Row, TimelineModel } from "./model.ts"
import { hasRowsBelow, type ShownRows } from "./shown-rows.ts"

/** What a person asks for in the tree. */
export interface TreeActions {
  readonly pin: (row: Row) => void
  readonly collapse: (row: Row) => void
  /** Goes to the row's first slice in view. */
  readonly enter: (row: Row) => void
}

export class RowTree {
  readonly #pinned = element("div", { class: "pinned", role: "none" })
  readonly #rows = element("div", { role: "none" })
  readonly element = element(
    "div",
    { class: "row-labels", role: "tree", "aria-label": "Rows: Enter goes to a slice, Space pins" },
    this.#pinned,
    this.#rows
  )
  readonly #actions: TreeActions
  readonly #parents: ReadonlySet<Row>
  #drawn: Drawn | undefined
  /** Key of the row that the Tab key reaches. */
  #current: string | undefined
  readonly #items: { readonly row: Row; readonly item: HTMLElement }[] = []

  constructor({ rows }: TimelineModel, actions: TreeActions) {
    this.#actions = actions
    this.#parents = new Set(rows.filter((_, place) => hasRowsBelow(rows, place)))
    this.element.addEventListener("keydown", (event) => {
      if (this.#key(event)) {
        event.preventDefault()
        event.stopPropagation()
      }
    })
  }

  /** Shows labels for these rows; nothing is made anew while they stay the same. */
  show(shown: ShownRows, looking: Looking): void {
    if (this.#drawn !== undefined && same(this.#drawn, { shown, looking })) return
    this.#drawn = { shown, looking }
    const { pinned, rows } = shown
    const { shut, pins } = looking
    const focused = this.element.contains(document.activeElement)
    this.#items.length = 0
    const made = (row: Row): HTMLElement => {
      const item = this.#item(row, shut.has(row.key), pins.has(row.key))
      this.#items.push({ row, item })
      return item
    }
    this.#pinned.replaceChildren(element("div", { class: "axis-room", role: "none" }), ...pinned.map(made))
    this.#rows.replaceChildren(...rows.map(made))
    const current = this.#items.findIndex(({ row }) => row.key === this.#current)
    this.#reach(Math.max(0, current), focused)
  }

  /** Scrolls the row into view. */
  reveal(row: Row): void {
    this.#items.findLast((one) => one.row === row)?.item.scrollIntoView({ block: "nearest" })
  }

  focus(): void {
    this.#items.find(({ item }) => item.tabIndex === 0)?.item.focus()
  }

  #item(row: Row, shut: boolean, pinned: boolean): HTMLElement {
    const { label, depth, basis, key } = row
    const parent = this.#parents.has(row)
    const twist = element("span", { class: parent ? "twist parent" : "twist", "aria-hidden": "true" }, "")
    const pin = element(
      "span",
      { class: "pin", "aria-hidden": "true", title: pinned ? "Unpin" : "Pin to the top" },
      ""
    )
    const item = element(
      "div",
      {
        class: `row-label ${basis}${pinned ? " is-pinned" : ""}`,
        role: "treeitem",
        tabindex: "-1",
        title: `${label}, ${basis}`,
        "aria-label": `${label}, ${basis}${pinned ? ", pinned" : ""}`,
        "aria-level": depth + 1,
        "aria-expanded": parent ? String(!shut) : undefined,
        style: `--depth:${depth};height:${ROW_HEIGHT}px`
      },
      twist,
      element("span", { class: "name" }, label),
      pin
    )
    pin.addEventListener("click", () => this.#actions.pin(row))
    item.addEventListener("click", (event) => {
      if (parent && event.target !== pin) this.#actions.collapse(row)
    })
    item.addEventListener("focus", () => (this.#current = key))
    return item
  }

  #key({ key }: KeyboardEvent): boolean {
    const at = this.#items.findIndex(({ item }) => item === document.activeElement)
    const row = this.#items[at]?.row
    if (row === undefined) return false
    const open = this.#items[at]!.item.getAttribute("aria-expanded")
    if (key === "ArrowDown") this.#reach(Math.min(at + 1, this.#items.length - 1), true)
    else if (key === "ArrowUp") this.#reach(Math.max(at - 1, 0), true)
    else if (key === "Home") this.#reach(0, true)
    else if (key === "End") this.#reach(this.#items.length - 1, true)
    else if (key === "Enter") this.#actions.enter(row)
    else if (key === " ") this.#actions.pin(row)
    else if ((key === "ArrowLeft" && open === "true") || (key === "ArrowRight" && open === "false"))
      this.#actions.collapse(row)
    else return key === "ArrowLeft" || key === "ArrowRight"
    return true
  }

  #reach(at: number, focus: boolean): void {
    for (const { item } of this.#items) item.tabIndex = -1
    const found = this.#items[at]
    if (found === undefined) return
    found.item.tabIndex = 0
    if (focus) found.item.focus()
  }
}

interface Drawn {
  readonly shown: ShownRows
  readonly looking: Looking
}

const same = (a: Drawn, b: Drawn): boolean =>
  equal(a.looking.shut, b.looking.shut) &&
  equal(a.looking.pins, b.looking.pins) &&
  alike(a.shown.rows, b.shown.rows) &&
  alike(a.shown.pinned, b.shown.pinned)

const equal = (a: ReadonlySet<string>, b: ReadonlySet<string>): boolean =>
  a === b || (a.size === b.size && [...a].every((key) => b.has(key)))

const alike = (a: readonly Row[], b: readonly Row[]): boolean =>
  a.length === b.length && a.every((row, place) => row === b[place])
