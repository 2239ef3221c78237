/** Results of a sweep: heatmap, parallel coordinates, Pareto front and table of the same points, brushed together. */
import { exportButtons } from "../components/download.ts"
import { element } from "../components/element.ts"
import { failure } from "../components/error-panel.ts"
import type { PageState } from "../shell/page-state.ts"
import type { Mount, ScreenContext } from "../shell/screen.ts"
import { heatmap, parallel, pareto, type Shown } from "./charts.ts"
import { brushForm } from "./brush-form.ts"
import { pointsTable } from "./points-table.ts"
import type { Reading } from "./reading.ts"
import {
  brushed,
  cellText,
  type Field,
  parseBrushes,
  type Point,
  type Results,
  resultsOf,
  spellBrushes,
  valueOf
} from "./results.ts"
import "./sweep.css"

export const mount: Mount = (host, context) => {
  let key: string | undefined
  let results: Results | undefined
  const opening = element("input", {
    type: "file",
    accept: ".parquet,.csv,.jsonl",
    "aria-label": "Open results"
  })
  opening.addEventListener("change", () => {
    const file = opening.files?.[0]
    if (file === undefined) return
    context.navigate({ screen: "sweep", view: { open: context.traces.leave(file).id } })
  })
  const intro = (...above: readonly Node[]): void =>
    host.replaceChildren(
      ...above,
      element("h1", { class: "verdict" }, "What came of a sweep?"),
      element(
        "p",
        {},
        'Drop results here that "vericache sweep FILE -o results.parquet" wrote, or open them: Parquet, CSV or JSON lines.'
      ),
      opening
    )
  const open = async (id: string): Promise<void> => {
    results = undefined
    const pending = context.traces.file(id)
    if (pending === undefined) {
      intro(
        ...(id === ""
          ? []
          : [
              failure(
                "These results are not open any more",
                "Files are not in the address: open the file again."
              )
            ])
      )
      return
    }
    host.replaceChildren(element("p", { role: "status" }, `Reading ${pending.file.name}…`))
    const found = await read(pending.file)
    if (key !== id) return
    const made = "problem" in found ? found : resultsOf(found.table)
    if ("problem" in made) {
      intro(failure("This file cannot be shown", made.problem))
      return
    }
    if ("note" in found && found.note !== undefined) context.toast(found.note)
    results = made
    draw(host, context, made, pending.file.name)
  }
  return {
    update: ({ view }: PageState) => {
      const wanted = view["open"] ?? ""
      if (wanted !== key) {
        key = wanted
        void open(wanted)
      } else if (results !== undefined) draw(host, context, results, context.traces.file(wanted)!.file.name)
    },
    dispose: () => (key = undefined)
  }
}

const read = async (file: File): Promise<Reading> => {
  const worker = new Worker(new URL("./reading.ts", import.meta.url), { type: "module" })
  try {
    return await new Promise((resolve, reject) => {
      worker.addEventListener("message", ({ data }: MessageEvent<Reading>) => resolve(data))
      worker.addEventListener("error", ({ message }) => reject(new Error(message)))
      worker.postMessage(file, { transfer: [] })
    })
  } finally {
    worker.terminate()
  }
}

const card = (title: string, ...children: readonly Node[]): HTMLElement =>
  element("section", { class: "card" }, element("header", {}, element("h2", {}, title)), ...children)

/** The point that serves most a GPU among those looked at, and what it is set to. */
const verdictOf = ({ points, axes }: Results, kept: readonly Point[], perGpu: Field | undefined): string => {
  const best =
    perGpu === undefined
      ? undefined
      : kept
          .filter((point) => valueOf(point, perGpu) !== undefined)
          .toSorted((a, b) => valueOf(b, perGpu)! - valueOf(a, perGpu)!)[0]
  const failed = points.filter(({ reason }) => reason !== undefined).length
  const without = failed === 0 ? "" : ` ${failed} of ${points.length} points cannot be served.`
  if (best === undefined || perGpu === undefined) return `No point that is looked at was served.${without}`
  const settings = axes.map(({ name, place }) => `${name} ${cellText(name, best.cells[place])}`).join(", ")
  return `${settings} serves most a GPU: ${cellText("", valueOf(best, perGpu))} tok/s.${without}`
}

/** Everything, for the state in the address. */
const draw = (host: HTMLElement, context: ScreenContext, results: Results, name: string): void => {
  const { view } = context.state()
  const { axes, metrics, points } = results
  const named = (list: readonly Field[], wanted: string | undefined, other: number): Field | undefined =>
    list.find((field) => field.name === wanted) ?? list[other] ?? list[0]
  const set = (changes: Readonly<Record<string, string | undefined>>): void => {
    const entries = Object.entries({ ...context.state().view, ...changes })
    context.navigate(
      { view: Object.fromEntries(entries.filter((one): one is [string, string] => one[1] !== undefined)) },
      "replace"
    )
  }
  const metric = named(metrics, view["metric"] ?? "tokens_per_s", 0)
  const [x, y] = [named(axes, view["x"], 0), named(axes, view["y"], 1)]
  const perGpu = metrics.find((field) => field.name === "tokens_per_s_per_gpu")
  const perUser = metrics.find((field) => field.name === "tokens_per_s_per_user")
  const brushes = parseBrushes(view["brush"])
  const kept = brushed(results, brushes)
  const chosen = points.find(({ row }) => String(row) === view["point"])
  const shown: Shown = {
    results,
    kept: new Set(kept),
    chosen,
    choose: (point) => set({ point: point === chosen ? undefined : String(point.row) })
  }
  const pick = (label: string, list: readonly Field[], now: Field | undefined, key: string): HTMLElement => {
    const select = element(
      "select",
      {},
      ...list.map((field) => element("option", { value: field.name, selected: field === now }, field.name))
    )
    select.addEventListener("change", () => set({ [key]: select.value }))
    return element("label", {}, `${label} `, select)
  }
  const exported = (title: string, chart: SVGSVGElement): HTMLElement =>
    exportButtons({ name: title, chart: () => chart })
  const focus = document.activeElement?.getAttribute("aria-label") ?? undefined
  const heat =
    metric === undefined || x === undefined || y === undefined ? undefined : heatmap(shown, x, y, metric)
  const lines = metric === undefined ? undefined : parallel(shown, [...axes.slice(0, 6), metric])
  const front = perGpu === undefined || perUser === undefined ? undefined : pareto(shown, perGpu, perUser)
  host.replaceChildren(
    element("h1", { class: "muted small" }, name),
    element("p", { class: "verdict", "aria-live": "polite" }, verdictOf(results, kept, perGpu)),
    element(
      "p",
      { class: "muted small" },
      `${kept.length} of ${points.length} points looked at. All modelled.`
    ),
    element(
      "div",
      { class: "sweep-picks" },
      pick("Figure", metrics, metric, "metric"),
      pick("Across", axes, x, "x"),
      pick("Upwards", axes, y, "y"),
      brushForm([...axes.filter(({ isNumber }) => isNumber), ...metrics], brushes, (next) =>
        set({ brush: next.length === 0 ? undefined : spellBrushes(next) })
      )
    ),
    ...(chosen === undefined ? [] : [chosenCard(context, results, chosen)]),
    element(
      "div",
      { class: "sweep" },
      ...(heat === undefined
        ? []
        : [card(`${metric!.name} by ${x!.name} and ${y!.name}`, heat, exported("heatmap", heat))]),
      ...(front === undefined
        ? []
        : [card("A GPU's throughput over a user's", front, exported("pareto", front))]),
      ...(lines === undefined ? [] : [card("Parallel coordinates", lines, exported("parallel", lines))]),
      card(
        "Points",
        pointsTable(
          shown,
          [...axes, ...(metric === undefined ? [] : [metric]), ...(perGpu === undefined ? [] : [perGpu])],
          view,
          set
        )
      )
    )
  )
  // The page was made anew: who had the focus keeps it.
  if (focus !== undefined)
    [...host.querySelectorAll<HTMLElement>("[aria-label]")]
      .find((one) => one.getAttribute("aria-label") === focus)
      ?.focus()
}

/** The point that was chosen: its settings, its figures, and where to go with it. */
const chosenCard = (context: ScreenContext, { axes, columns }: Results, point: Point): HTMLElement => {
  const whatIf = element(
    "a",
    { class: "button", href: context.href({ screen: "whatif", view: {} }) },
    "Open What-if"
  )
  return element(
    "section",
    { class: "card chosen", "aria-label": "Chosen point" },
    element(
      "h2",
      {},
      axes.map(({ name, place }) => `${name} ${cellText(name, point.cells[place])}`).join(", ")
    ),
    element(
      "p",
      {},
      point.reason ??
        ["tokens_per_s", "ttft_p95_s", "tpot_p95_s", "limited_by"]
          .flatMap((name) => {
            const place = columns.findIndex((column) => column.name === name)
            return place < 0 ? [] : [`${name} ${cellText(name, point.cells[place])}`]
          })
          .join(" · ")
    ),
    element(
      "p",
      { class: "muted small" },
      "Results name what was varied and not the scenario: open that in What-if and set these fields there. ",
      whatIf
    )
  )
}
