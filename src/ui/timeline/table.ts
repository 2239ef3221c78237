/** Tables of the panel. */
import { element } from "../components/element.ts"

export interface Column {
  readonly name: string
  /** What it means. */
  readonly title?: string
  /** Words, not numbers. */
  readonly text?: boolean
}

/** `basis`: how the numbers came to be known. */
export const table = (
  caption: string,
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  basis: string
): HTMLTableElement => {
  const kind = (i: number): string => (columns[i]?.text === true ? "" : "number")
  return element(
    "table",
    { "data-provenance": basis },
    element("caption", {}, caption),
    element(
      "thead",
      {},
      element(
        "tr",
        {},
        ...columns.map(({ name, title }, i) => element("th", { scope: "col", class: kind(i), title }, name))
      )
    ),
    element(
      "tbody",
      {},
      ...rows.map((cells) =>
        element(
          "tr",
          {},
          ...cells.map((cell, i) =>
            element(
              "td",
              { class: kind(i), title: `${columns[i]?.title ?? columns[i]?.name}, ${basis}` },
              cell
            )
          )
        )
      )
    )
  )
}
