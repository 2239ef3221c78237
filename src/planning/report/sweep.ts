/** Figures and words of a sweep, from its rows. */
import type { Cell, Row, Table } from "../files/table.ts"
import { heatmap } from "./charts/heatmap.ts"
import { paretoFront, planeChart, type Series } from "./charts/plane.ts"
import type { ReportFigure } from "./document.ts"

/** A field that varies: its column, what to call it, how to write it. */
export interface SweptField {
  readonly column: string
  readonly title: string
  readonly show: (cell: Cell) => string
}

/** Rows as the figures need them. */
export interface SweepView {
  readonly table: Table
  /** Fields of the grid, one of those that go in step. */
  readonly grid: readonly SweptField[]
  /** Fields of the sample. */
  readonly sampled: readonly SweptField[]
  /** Name of the method the others are compared with. */
  readonly baseline: string
  readonly amount: (value: number) => string
  readonly seconds: (value: number) => string
  readonly times: (factor: number) => string
}

/** A place of the sweep under a method: figures are means over seeds. */
interface Place {
  readonly method: string
  readonly lossless: boolean
  readonly cells: readonly Cell[]
  /** Tokens/s, of the deployment and a GPU. */
  readonly rate: number
  readonly perGpu: number
  /** TTFT p99, seconds. */
  readonly ttft: number
}

/** Most panels of a kind: more are not read. */
const PANELS = 6

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length

const groupedBy = <A>(all: readonly A[], keyOf: (one: A) => unknown): ReadonlyMap<string, readonly A[]> => {
  const groups = new Map<string, A[]>()
  for (const one of all) {
    const key = JSON.stringify(keyOf(one))
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [one])
    else group.push(one)
  }
  return groups
}

/** Simulated places in the order of the rows. */
const placesOf = ({ table, grid, sampled }: SweepView): readonly Place[] => {
  const cell = (name: string): ((row: Row) => Cell) => {
    const at = table.columns.findIndex((column) => column.name === name)
    return (row) => row[at]
  }
  const fields = [...grid, ...sampled].map(({ column }) => cell(column))
  const [status, method, lossless] = [cell("status"), cell("method"), cell("lossless")]
  const [rate, perGpu, ttft] = [cell("tokens_per_s"), cell("tokens_per_s_per_gpu"), cell("ttft_p99_s")]
  const ran = table.rows.filter((row) => status(row) === "simulated")
  return [...groupedBy(ran, (row) => [method(row), ...fields.map((of) => of(row))]).values()].map((rows) => ({
    method: String(method(rows[0]!)),
    lossless: lossless(rows[0]!) === true,
    cells: fields.map((of) => of(rows[0]!)),
    rate: mean(rows.map((row) => Number(rate(row) ?? 0))),
    perGpu: mean(rows.map((row) => Number(perGpu(row) ?? 0))),
    ttft: mean(rows.map((row) => Number(ttft(row) ?? Number.NaN)))
  }))
}

const at = (view: SweepView, { cells }: Place): string => {
  const fields = [...view.grid, ...view.sampled]
  return fields.map(({ title, show }, i) => `${title} ${show(cells[i])}`).join(", ")
}

/** How each method does against the baseline at the same places. */
const ratiosOf = (
  { baseline }: SweepView,
  places: readonly Place[]
): readonly { readonly place: Place; readonly ratio: number }[] => {
  const bases = new Map(
    places.filter(({ method }) => method === baseline).map(({ cells, rate }) => [JSON.stringify(cells), rate])
  )
  return places.flatMap((place) => {
    const base = bases.get(JSON.stringify(place.cells))
    return place.method === baseline || base === undefined || !(base > 0)
      ? []
      : [{ place, ratio: place.rate / base }]
  })
}

const most = <A>(all: readonly A[], of: (one: A) => number): A | undefined =>
  all.reduce<A | undefined>((best, one) => (best === undefined || of(one) > of(best) ? one : best), undefined)

/** The answer in a few sentences: the most served, and where each method beats the baseline without changing the output. */
export const sweepVerdict = (view: SweepView): string => {
  const places = placesOf(view)
  const best = most(
    places.filter(({ lossless }) => lossless),
    ({ rate }) => rate
  )
  if (best === undefined)
    return places.length === 0
      ? "No point could be simulated."
      : "No method that was simulated keeps the output of full KV."
  const where = (place: Place): string => (place.cells.length === 0 ? "" : ` at ${at(view, place)}`)
  const first = `Of the methods with identical output ${best.method} serves the most: ${view.amount(best.rate)} tok/s${where(best)}.`
  const against = ratiosOf(view, places).filter(({ place }) => place.lossless)
  const methods = [...groupedBy(against, ({ place }) => place.method).values()].map((all) => {
    const faster = all.filter(({ ratio }) => ratio > 1).length
    const top = most(all, ({ ratio }) => ratio)!
    return `${top.place.method} serves more than ${view.baseline} at ${faster} of ${all.length} places, at best ${view.times(top.ratio)}${where(top.place)}.`
  })
  return [first, ...methods].join(" ")
}

const figure = (title: string, caption: string, svg: string): ReportFigure => ({
  kind: "figure",
  title,
  caption,
  svg
})

const isNumeric = (places: readonly Place[], field: number): boolean =>
  places.every(({ cells }) => typeof cells[field] === "number")

const distinct = (places: readonly Place[], field: number): readonly Cell[] =>
  [...new Set(places.map(({ cells }) => cells[field]))].toSorted((a, b) =>
    typeof a === "number" && typeof b === "number" ? a - b : 0
  )

/** Ranges of a decade, or nearly, are read by their ratios. */
const isWide = (values: readonly number[]): boolean =>
  Math.min(...values) > 0 && Math.max(...values) / Math.min(...values) >= 8

/** Throughput over a field, a series for each method. */
const overField = (
  view: SweepView,
  places: readonly Place[],
  field: number,
  title: string,
  caption: string,
  joined: boolean
): ReportFigure => {
  const swept = [...view.grid, ...view.sampled][field]!
  const methods = [...new Set(placesOf(view).map(({ method }) => method))]
  const series = methods.map((method, hue): Series => ({
    name: method,
    basis: "modelled",
    hue,
    points: places
      .filter((place) => place.method === method)
      .map((place) => ({
        x: Number(place.cells[field]),
        y: place.rate,
        title: `${method}: ${view.amount(place.rate)} tok/s at ${at(view, place)}`
      }))
  }))
  const log = isWide(places.map(({ cells }) => Number(cells[field])))
  return figure(
    title,
    caption,
    planeChart(
      title,
      series,
      {
        title: swept.title,
        show: swept.show,
        log,
        ...(joined ? { ticks: distinct(places, field).map(Number) } : {})
      },
      { title: "tok/s", show: view.amount },
      { joined }
    )
  )
}

/** Curves over the field of the grid with the most values, a panel for each place of the others. */
const curves = (view: SweepView, places: readonly Place[]): readonly ReportFigure[] => {
  const numeric = view.grid
    .map((_, i) => i)
    .filter((i) => isNumeric(places, i) && distinct(places, i).length > 1)
  const field = most(numeric, (i) => distinct(places, i).length)
  if (field === undefined || view.sampled.length > 0) return []
  const panels = [...groupedBy(places, ({ cells }) => cells.filter((_, i) => i !== field)).values()]
  const every = Math.max(1, Math.ceil(panels.length / PANELS))
  const shown = panels.filter((_, i) => i % every === 0)
  const left = panels.length - shown.length
  return shown.map((panel) => {
    const rest = view.grid
      .map(({ title, show }, i) => (i === field ? "" : `${title} ${show(panel[0]!.cells[i])}`))
      .filter((text) => text !== "")
    const title = `Throughput over ${view.grid[field]!.title}${rest.length === 0 ? "" : ` at ${rest.join(", ")}`}`
    return overField(
      view,
      panel,
      field,
      title,
      `All modelled, hence dashed.${left === 0 ? "" : ` ${left} more panels like this one are left out; the rows have them.`}`,
      true
    )
  })
}

/** A map for each method over the two fields of the grid with the most values. */
const maps = (view: SweepView, places: readonly Place[]): readonly ReportFigure[] => {
  const [across, down] = view.grid
    .map((_, i) => i)
    .filter((i) => distinct(places, i).length > 1)
    .toSorted((a, b) => distinct(places, b).length - distinct(places, a).length)
  if (across === undefined || down === undefined) return []
  const values = ratiosOf(view, places)
  const compared = values.length > 0
  const shown = compared ? values : places.map((place) => ({ place, ratio: place.rate }))
  const others = view.grid.length + view.sampled.length > 2
  const cut = (all: readonly Cell[]): readonly Cell[] => {
    const every = Math.ceil(all.length / 8)
    return all.filter((_, i) => i % every === 0)
  }
  const [columns, rows] = [cut(distinct(places, across)), cut(distinct(places, down))]
  const methods = [...groupedBy(shown, ({ place }) => place.method).values()].slice(0, PANELS)
  const cells = methods.map((own) =>
    rows.map((row) =>
      columns.map((column) => {
        const here = own.filter(({ place }) => place.cells[down] === row && place.cells[across] === column)
        return here.length === 0 ? undefined : mean(here.map(({ ratio }) => ratio))
      })
    )
  )
  const top = Math.max(...cells.flat(2).map((value) => value ?? 0))
  return methods.map((own, i) => {
    const { method } = own[0]!.place
    const title = compared ? `${method} over ${view.baseline}` : `Throughput of ${method}`
    const what = compared ? "Throughput over the baseline's; above 1 it serves more." : "Tokens per second."
    return figure(
      title,
      `${what}${others ? " Means over the other fields." : ""} All modelled.`,
      heatmap(
        title,
        {
          across: { title: view.grid[across]!.title, values: columns.map(view.grid[across]!.show) },
          down: { title: view.grid[down]!.title, values: rows.map(view.grid[down]!.show) },
          cells: cells[i]!,
          show: compared ? view.times : view.amount
        },
        top
      )
    )
  })
}

/** Throughput of a GPU against the wait for the first token, every place a point. */
const front = (view: SweepView, places: readonly Place[]): ReportFigure => {
  const title = "Throughput against the wait for the first token"
  const methods = [...groupedBy(places, ({ method }) => method).values()]
  const points = (own: readonly Place[]) =>
    own.map((place) => ({
      x: place.ttft,
      y: place.perGpu,
      title: `${place.method}: ${view.amount(place.perGpu)} tok/s a GPU, TTFT p99 ${view.seconds(place.ttft)}, at ${at(view, place)}`
    }))
  return figure(
    title,
    "Every point of the sweep; upper left is better. Ringed: of identical output, and no other of those beats it in both. All modelled.",
    planeChart(
      title,
      methods.map((own, hue) => ({ name: own[0]!.method, basis: "modelled", hue, points: points(own) })),
      {
        title: "TTFT p99",
        show: view.seconds,
        log: isWide(places.map(({ ttft }) => ttft).filter((value) => value > 0))
      },
      { title: "tok/s a GPU", show: view.amount },
      { front: paretoFront(points(places.filter(({ lossless }) => lossless)), { x: "less", y: "more" }) }
    )
  )
}

export const sweepFigures = (view: SweepView): readonly ReportFigure[] => {
  const places = placesOf(view).filter(({ rate }) => Number.isFinite(rate))
  if (places.length === 0) return []
  const scattered = view.sampled.slice(0, PANELS).flatMap((swept, i) => {
    const field = view.grid.length + i
    return isNumeric(places, field)
      ? [
          overField(
            view,
            places,
            field,
            `Throughput over ${swept.title}`,
            "Every point of the sample; the other fields vary too. All modelled.",
            false
          )
        ]
      : []
  })
  return [...curves(view, places), ...scattered, ...maps(view, places), front(view, places)]
}
