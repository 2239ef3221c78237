/** The points as a table: sorted by any column, a page at a time, the chosen one marked. */
import { exportButtons } from "../components/download.ts"
import { element } from "../components/element.ts"
import type { Shown } from "./chart.ts"
import { type Field, isExtrapolated, type Point } from "./results.ts"
import { cellText, wordsOf } from "./words.ts"

const PAGE = 25

/** `view`: what the address says of order and page. */
export const pointsTable = (
  { results, kept, chosen, choose }: Shown,
  fields: readonly Field[],
  view: Readonly<Record<string, string>>,
  set: (changes: Readonly<Record<string, string | undefined>>) => void
): HTMLElement => {
  const [by, order] = (view["sort"] ?? "").split(" ")
  const column = fields.find(({ name }) => name === by)
  const points = results.points.filter((point) => kept.has(point))
  const sorted =
    column === undefined ? points : points.toSorted((a, b) => compare(a, b, column, order === "down"))
  const pages = Math.max(1, Math.ceil(sorted.length / PAGE))
  const page = Math.min(pages - 1, Number(view["page"] ?? 0) || 0)
  const head = fields.map((field) => {
    const now = field === column
    const { label, definition } = wordsOf(field.name)
    const button = element(
      "button",
      { type: "button", class: "sort", "aria-label": label },
      `${label}${now ? (order === "down" ? " ↓" : " ↑") : ""}`
    )
    button.addEventListener("click", () =>
      set({ sort: `${field.name} ${now && order !== "down" ? "down" : "up"}`, page: undefined })
    )
    return element(
      "th",
      {
        scope: "col",
        class: field.isNumber ? "number" : "",
        title: definition,
        "aria-sort": now ? (order === "down" ? "descending" : "ascending") : "none"
      },
      button
    )
  })
  const turn = (to: number, label: string): HTMLButtonElement => {
    const button = element("button", { type: "button", disabled: to < 0 || to >= pages }, label)
    button.addEventListener("click", () => set({ page: String(to) }))
    return button
  }
  return element(
    "div",
    {},
    element(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": "Points" },
      element(
        "table",
        {},
        element(
          "thead",
          {},
          element(
            "tr",
            {},
            element("th", { scope: "col" }, ""),
            ...head,
            element("th", { scope: "col" }, "why not")
          )
        ),
        element(
          "tbody",
          {},
          ...sorted.slice(page * PAGE, (page + 1) * PAGE).map((point) => {
            const pick = element(
              "button",
              { type: "button", "aria-pressed": String(point === chosen) },
              point === chosen ? "shown" : "show"
            )
            pick.setAttribute("aria-label", `${point === chosen ? "shown" : "show"}: point ${point.row}`)
            pick.addEventListener("click", () => choose(point))
            return element(
              "tr",
              { class: point.reason === undefined ? "" : "infeasible" },
              element("td", {}, pick),
              ...fields.map(({ name, place, isNumber }) =>
                element(
                  "td",
                  {
                    class: `${isNumber ? "number" : ""} ${isExtrapolated(point) ? "extrapolated" : ""}`,
                    "data-provenance": "modelled",
                    title: [wordsOf(name).definition, "modelled", point.caveats ?? ""]
                      .filter(Boolean)
                      .join("; ")
                  },
                  cellText(name, point.cells[place])
                )
              ),
              element("td", {}, point.reason ?? "")
            )
          })
        )
      )
    ),
    element(
      "p",
      { class: "tools" },
      turn(page - 1, "Earlier"),
      element("span", { class: "muted small" }, `page ${page + 1} of ${pages}`),
      turn(page + 1, "Later"),
      exportButtons({
        name: "points",
        table: () => [
          results.columns.map(({ name }) => name),
          ...sorted.map(({ cells }) =>
            cells.map((cell) => (typeof cell === "boolean" ? String(cell) : (cell ?? "")))
          )
        ]
      })
    )
  )
}

/** Points without the figure come last either way. */
const compare = (a: Point, b: Point, { place }: Field, down: boolean): number => {
  const [x, y] = [a.cells[place], b.cells[place]]
  if (x === undefined || y === undefined) return Number(x === undefined) - Number(y === undefined)
  const order = typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y))
  return down ? -order : order
}
