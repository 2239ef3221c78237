/** Heatmap, Pareto front, parallel coordinates and table of the same points, narrowed together. */
import { card } from "../components/card.ts"
import { exportButtons } from "../components/download.ts"
import { element } from "../components/element.ts"
import { Fitted } from "../components/fitted.ts"
import type { ScreenContext } from "../shell/screen.ts"
import type { TextFile } from "../workers/protocol.ts"
import { brushForm } from "./brush-form.ts"
import type { Shown } from "./chart.ts"
import { chosenCard } from "./chosen-card.ts"
import { heatmap } from "./heatmap.ts"
import { parallel } from "./parallel.ts"
import { pareto } from "./pareto.ts"
import { pointsTable } from "./points-table.ts"
import {
  brushed,
  fullestPair,
  type Field,
  parseBrushes,
  type Point,
  type Results,
  settingsText,
  spellBrushes,
  valueOf,
  isExtrapolated
} from "./results.ts"
import { cellText, wordsOf } from "./words.ts"

type View = Readonly<Record<string, string>>

/** Axes in the parallel coordinates at most, beside the figure. */
const MOST_AXES = 6

const named = (list: readonly Field[], wanted: string | undefined, other: number): Field | undefined =>
  list.find(({ name }) => name === wanted) ?? list[other] ?? list[0]

export class Explorer {
  readonly root: HTMLElement
  readonly #context: ScreenContext
  readonly #results: Results
  readonly #give: (files: readonly File[]) => void
  readonly #verdict = element("p", {
    class: "verdict",
    "aria-live": "polite",
    "data-provenance": "modelled",
    title: "tok/s: output tokens per second of the run, over its GPUs. Modelled."
  })
  readonly #count = element("p", { class: "muted small" })
  readonly #picks = element("div", { class: "sweep-picks" })
  readonly #chosen = element("div", {})
  readonly #heat = new Fitted()
  readonly #front = new Fitted()
  readonly #lines = new Fitted()
  readonly #heatCard: HTMLElement
  readonly #table = element("div", {})
  #files: readonly TextFile[] = []

  /** `give`: takes the sweep's file for results that do not carry it. */
  constructor(
    context: ScreenContext,
    results: Results,
    name: string,
    give: (files: readonly File[]) => void
  ) {
    this.#context = context
    this.#results = results
    this.#give = give
    const saving = (title: string, place: Fitted): HTMLElement =>
      exportButtons({ name: title, chart: () => place.chart })
    this.#heatCard = card("", { tools: saving("heatmap", this.#heat) }, this.#heat.root)
    this.root = element(
      "div",
      {},
      element("h1", { class: "muted small" }, name),
      this.#verdict,
      this.#count,
      this.#picks,
      this.#chosen,
      element(
        "div",
        { class: "sweep" },
        this.#heatCard,
        card("A GPU's throughput over a user's", { tools: saving("pareto", this.#front) }, this.#front.root),
        card(
          "Parallel coordinates",
          { tools: saving("parallel", this.#lines), class: "wide" },
          this.#lines.root
        ),
        card("Points", { class: "wide" }, this.#table)
      )
    )
  }

  /** The sweep's file and what it names, for going on to a point's scenario. */
  set files(files: readonly TextFile[]) {
    this.#files = files
    this.update(this.#context.state().view)
  }

  update(view: View): void {
    const { axes, metrics, points } = this.#results
    const brushes = parseBrushes(view["brush"])
    const kept = brushed(this.#results, brushes)
    const chosen = points.find(({ row }) => String(row) === view["point"])
    const narrow: Shown["narrow"] = (next) => {
      const rest = brushes.filter(({ field }) => !next.some((one) => one.field === field))
      this.#set({ brush: spellBrushes([...rest, ...next]) })
    }
    const shown: Shown = {
      results: this.#results,
      kept: new Set(kept),
      chosen,
      choose: (point) => this.#set({ point: point === chosen ? undefined : String(point.row) }),
      brushes,
      narrow
    }
    const perGpu = metrics.find(({ name }) => name === "tokens_per_s_per_gpu")
    const perUser = metrics.find(({ name }) => name === "tokens_per_s_per_user")
    const metric = named(metrics, view["metric"] ?? "tokens_per_s", 0)
    this.#verdict.textContent = this.#answer(kept, perGpu)
    this.#count.textContent = `${kept.length} of ${points.length} points looked at. All modelled.`
    const focus = this.#focused()
    this.#maps(shown, view, metric)
    this.#front.root.parentElement!.hidden = perGpu === undefined || perUser === undefined
    if (perGpu !== undefined && perUser !== undefined)
      this.#front.show((width) => pareto(shown, perGpu, perUser, width))
    this.#lines.root.parentElement!.hidden = metric === undefined
    if (metric !== undefined)
      this.#lines.show((width) => parallel(shown, [...axes.slice(0, MOST_AXES), metric], width))
    this.#chosen.replaceChildren(
      ...(chosen === undefined
        ? []
        : [chosenCard(this.#context, this.#results, chosen, this.#files, this.#give)])
    )
    const figures = [metric, perGpu].filter((field) => field !== undefined)
    this.#table.replaceChildren(
      pointsTable(shown, [...axes, ...new Set(figures)], view, (changes) => this.#set(changes))
    )
    focus()
  }

  /** The pickers, and the heatmap of what they say. */
  #maps(shown: Shown, view: View, metric: Field | undefined): void {
    const { axes, metrics, points } = this.#results
    const isMethod = ({ name }: Field): boolean => name === "method"
    const others = axes.filter((field) => !isMethod(field))
    const byMethod = axes.find(isMethod)
    const [across, upwards = byMethod] = fullestPair(this.#results, others)
    const x = named(axes, view["x"] ?? across?.name, 0)
    const y = named(axes, view["y"] ?? upwards?.name, 1)
    const methods =
      byMethod === undefined || x === byMethod || y === byMethod
        ? []
        : [...new Set(points.map(({ cells }) => String(cells[byMethod.place])))]
    const method =
      methods.find((one) => one === view["only"]) ?? methods.find((one) => one === "VeriCache") ?? methods[0]
    const pick = (label: string, key: string, now: string | undefined, options: readonly string[]) => {
      const select = element(
        "select",
        { "aria-label": label },
        ...options.map((value) =>
          element("option", { value, selected: value === now }, key === "only" ? value : wordsOf(value).label)
        )
      )
      select.addEventListener("change", () => this.#set({ [key]: select.value }))
      return element("label", {}, `${label} `, select)
    }
    const names = (fields: readonly Field[]): readonly string[] => fields.map(({ name }) => name)
    this.#picks.replaceChildren(
      pick("Figure", "metric", metric?.name, names(metrics)),
      pick("Across", "x", x?.name, names(axes)),
      pick("Upwards", "y", y?.name, names(axes)),
      ...(methods.length > 1 ? [pick("Method", "only", method, methods)] : []),
      brushForm([...axes.filter(({ isNumber }) => isNumber), ...metrics], shown.brushes, (next) =>
        this.#set({ brush: next.length === 0 ? undefined : spellBrushes(next) })
      )
    )
    const drawn = metric !== undefined && x !== undefined && y !== undefined
    this.#heatCard.hidden = !drawn
    if (!drawn) return
    this.#heatCard.querySelector("h2")!.textContent =
      `${wordsOf(metric.name).label} by ${wordsOf(x.name).label} and ${wordsOf(y.name).label}${method === undefined ? "" : `, ${method}`}; hatched: cannot be served${points.some(isExtrapolated) ? "; hatched over colour: extrapolated" : ""}`
    const of =
      byMethod === undefined || method === undefined
        ? points
        : points.filter(({ cells }) => cells[byMethod.place] === method)
    this.#heat.show((width) => heatmap(shown, of, [x, y], metric, width))
  }

  /** The point that serves most a GPU among those looked at, and what it is set to. */
  #answer(kept: readonly Point[], perGpu: Field | undefined): string {
    const { points } = this.#results
    const served = perGpu === undefined ? [] : kept.filter((point) => valueOf(point, perGpu) !== undefined)
    const best = served.toSorted((a, b) => valueOf(b, perGpu!)! - valueOf(a, perGpu!)!)[0]
    const failed = points.filter(({ reason }) => reason !== undefined).length
    const without = failed === 0 ? "" : ` ${failed} of ${points.length} points cannot be served.`
    if (best === undefined) return `No point that is looked at was served.${without}`
    return `${settingsText(this.#results, best)} serves most a GPU: ${cellText("", valueOf(best, perGpu!))} tok/s.${without}`
  }

  #set(changes: Readonly<Record<string, string | undefined>>): void {
    const entries = Object.entries({ ...this.#context.state().view, ...changes })
    const view = Object.fromEntries(entries.filter((one): one is [string, string] => one[1] !== undefined))
    this.#context.navigate({ view }, "replace")
  }

  /** What has the focus, by its name; call the result after making anew what it stands in. */
  #focused(): () => void {
    const active = document.activeElement
    const name = this.root.contains(active) ? active?.getAttribute("aria-label") : undefined
    return () => {
      if (typeof name !== "string" || this.root.contains(document.activeElement)) return
      const places = [...this.root.querySelectorAll<HTMLElement>("[aria-label]")]
      places.find((one) => one.getAttribute("aria-label") === name)?.focus()
    }
  }
}
