/** A long table that is folded away until it is wanted, a page at a time, with all of it as CSV. */
import { exportButtons } from "../components/download.ts"
import { element } from "../components/element.ts"
import { type Column, table } from "./table.ts"

/** Rows at a time. */
const PAGE = 50

export interface Paged {
  readonly summary: string
  /** For screen readers. */
  readonly label: string
  /** Of the file, without an ending. */
  readonly name: string
  readonly columns: readonly Column[]
  readonly length: number
  /** How the numbers came to be known. */
  readonly basis: string
  readonly texts: (row: number) => readonly string[]
  readonly csv: () => readonly (readonly (string | number)[])[]
}

export const pagedTable = ({
  summary: words,
  label,
  name,
  columns,
  length,
  basis,
  texts,
  csv
}: Paged): HTMLElement => {
  const summary = element("summary", {}, words)
  const host = element("details", {}, summary)
  let page = 0
  const show = (): void => {
    const first = page * PAGE
    const last = Math.min(length, first + PAGE)
    const turn = (by: number, title: string, possible: boolean): HTMLButtonElement => {
      const button = element("button", { type: "button", disabled: !possible }, title)
      button.addEventListener("click", () => {
        page += by
        show()
      })
      return button
    }
    host.replaceChildren(
      summary,
      element(
        "div",
        { class: "scroll", tabindex: "0", role: "region", "aria-label": label },
        table(
          `${length === 0 ? 0 : first + 1} to ${last} of ${length.toLocaleString("en")}`,
          columns,
          Array.from({ length: last - first }, (_, row) => texts(first + row)),
          basis
        )
      ),
      element(
        "p",
        { class: "tools" },
        turn(-1, "Earlier", page > 0),
        turn(1, "Later", last < length),
        exportButtons({ name, table: csv })
      )
    )
  }
  show()
  return host
}
