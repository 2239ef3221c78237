/** The point that was chosen: its settings, its figures, and the ways to its scenario and its timeline. */
import { element } from "../components/element.ts"
import { fileButton } from "../components/file-button.ts"
import { failure } from "../components/error-panel.ts"
import { methodId } from "../shell/methods.ts"
import type { ScreenContext } from "../shell/screen.ts"
import type { Response, TextFile } from "../workers/protocol.ts"
import { isExtrapolated, type Point, type Results, settingsText } from "./results.ts"
import { cellText, wordsOf } from "./words.ts"

const FIGURES = ["tokens_per_s", "ttft_p95_s", "tpot_p95_s", "limited_by"]

type Found = Extract<Response, { readonly kind: "point" }>

/** `files`: the sweep's file first; none where it has not been opened. `give`: takes files that were chosen. */
export const chosenCard = (
  context: ScreenContext,
  results: Results,
  point: Point,
  files: readonly TextFile[],
  give: (files: readonly File[]) => void
): HTMLElement => {
  const { columns } = results
  const problems = element("div", {})
  const fail = (message: string): void => {
    problems.replaceChildren(failure("This point's scenario cannot be made", message))
  }
  /** The point's scenario from the worker, then on with it. */
  const find = (on: (found: Found) => void) => (): void => {
    problems.replaceChildren()
    context.simulation.ask({ kind: "point", files, columns, row: point.cells }, (response) => {
      if (response.kind === "point") on(response)
      if (response.kind === "problem") fail(response.message)
    })
  }
  const whatIf = element("button", { type: "button", class: "primary" }, "Open in What-if")
  whatIf.addEventListener(
    "click",
    find(({ file, text }) => context.navigate({ screen: "whatif", file, text, changes: [], view: {} }))
  )
  const timeline = element(
    "button",
    { type: "button", disabled: point.reason !== undefined },
    "Simulate and open its timeline"
  )
  timeline.addEventListener(
    "click",
    find(({ file, text, method }) => {
      context.navigate({ screen: "timeline", file, text, changes: [], view: { open: methodId(method) } })
    })
  )
  const open = fileButton(
    { text: "Open the sweep…", title: "Open the sweep's file", accept: ".yaml,.yml,.json", multiple: true },
    give
  )
  return element(
    "section",
    { class: "card chosen", "aria-label": "Chosen point" },
    element("h2", {}, settingsText(results, point)),
    point.reason === undefined
      ? element(
          "dl",
          { class: "figures" },
          ...FIGURES.flatMap((name) => {
            const place = columns.findIndex((column) => column.name === name)
            if (place < 0 || point.cells[place] === undefined) return []
            const { label, definition } = wordsOf(name)
            return [
              element(
                "div",
                {
                  class: isExtrapolated(point) ? "extrapolated" : "",
                  title: `${definition}; modelled`,
                  "data-provenance": "modelled"
                },
                element("dt", {}, label),
                element("dd", {}, cellText(name, point.cells[place]))
              )
            ]
          })
        )
      : element("p", {}, `Cannot be served: ${point.reason}`),
    ...(point.caveats === undefined ? [] : [element("p", { class: "muted small" }, point.caveats)]),
    ...(files.length > 0
      ? [element("p", { class: "actions" }, whatIf, timeline)]
      : [
          element(
            "p",
            { class: "muted small" },
            "CSV and JSON lines have no room for the sweep itself, Parquet has. Open or drop the sweep's file, and the scenario it names unless that comes with vericache, to go on to this point's scenario and timeline."
          ),
          open
        ]),
    problems
  )
}
