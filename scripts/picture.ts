/**
 * Draws docs/images/rounds.svg: some seconds of the demo, taken from the trace of its simulation. Colours are mid-tones, so
 * that the picture reads on light and on dark pages.
 */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { Exit } from "effect"
import { prepare } from "../src/sim/simulate.ts"
import { readCatalog, readScenario } from "../src/sim/scenarios.fixture.ts"
import { Infeasible } from "../src/sim/setup.ts"
import { EVENT_KINDS, type EventKind } from "../src/trace/recorder.ts"
import { TraceStore } from "../src/trace/store.ts"

const SCENARIO = "llama-70b-2xh100-long-context.yaml"
const METHOD = "VeriCache"
const TARGET = join(import.meta.dirname, "..", "docs", "images", "rounds.svg")

/** What is shown: ns from the start of the run; by then the first rush is over and rounds are staggered. */
const FROM = 60e9
const SPAN = 4e9

const INK = "#768390"
const COLOURS: Readonly<Record<string, string>> = {
  draft: "#2f9e8f",
  verify: "#d9822b",
  reload: "#4c7fd9",
  prefill: "#9b6ac4",
  fetch: "#9b6ac4",
  stalled: "#b0483f"
}

const LEFT = 128
const WIDTH = 1000
const RIGHT = 16
const LANE = 26
const ROW = 18
const TOP = 46

interface Slice {
  readonly kind: EventKind
  readonly start: number
  readonly end: number
  readonly request: number
  readonly track: string
  readonly tokens: number
  readonly accepted: number
}

const simulateSlices = (): readonly Slice[] => {
  const scenario = readScenario(SCENARIO, readCatalog())
  const method = scenario.methods.find(({ name }) => name === METHOD)
  if (method === undefined) throw new Error(`the demo has no method ${METHOD}`)
  const store = new TraceStore({
    name: scenario.name,
    scenario: scenario.name,
    method: METHOD,
    seed: scenario.seed,
    clock: "virtual",
    basis: "modelled",
    clockOffset: 0
  })
  const prepared = prepare(scenario, method, { recorder: store })
  if (prepared instanceof Infeasible) throw prepared
  const exit = prepared.time.simulate(prepared.program)
  if (Exit.isFailure(exit)) throw new Error(String(exit.cause))
  const { slices, tracks } = store
  return Array.from({ length: slices.length }, (_, i) => ({
    kind: EVENT_KINDS[slices.kind[i]!]!,
    start: slices.start[i]!,
    end: slices.end[i]!,
    request: slices.request[i]! - 1,
    track: tracks[slices.track[i]!]!.kind,
    tokens: slices.tokens[i]!,
    accepted: slices.accepted[i]!
  })).filter(({ start, end }) => end > FROM && start < FROM + SPAN)
}

const round = (x: number): string => x.toFixed(1).replace(/\.0$/, "")
const x = (at: number): number => LEFT + ((at - FROM) / SPAN) * (WIDTH - LEFT - RIGHT)

const bar = ({ kind, start, end }: Slice, top: number, height: number): string => {
  const from = x(Math.max(start, FROM))
  const to = x(Math.min(end, FROM + SPAN))
  const width = Math.max(0.8, to - from - 0.4)
  return `<rect x="${round(from)}" y="${round(top)}" width="${round(width)}" height="${height}" fill="${COLOURS[kind]}"/>`
}

/** Slices of one kind that follow on without a gap, as one: passes of a lane are too many to draw singly. */
const joined = (slices: readonly Slice[]): readonly Slice[] => {
  const out: Slice[] = []
  for (const slice of slices.toSorted((a, b) => a.start - b.start)) {
    const last = out.at(-1)
    if (last !== undefined && slice.start - last.end < 1e5 && slice.request === last.request)
      out[out.length - 1] = { ...last, end: slice.end }
    else out.push(slice)
  }
  return out
}

const label = (text: string, at: number, size = 12): string =>
  `<text x="${LEFT - 10}" y="${at}" text-anchor="end" font-size="${size}">${text}</text>`

const picture = (slices: readonly Slice[]): string => {
  const of = (track: string, kind: EventKind): readonly Slice[] =>
    slices.filter((slice) => slice.track === track && slice.kind === kind)
  const body: string[] = []
  let top = TOP

  for (const [text, bars] of [
    ["GPU · draft", joined(of("gpu", "draft"))],
    ["GPU · verify", of("gpu", "verify")],
    ["link · reload", of("link-h2d", "reload")]
  ] as const) {
    body.push(label(text, top + 13), ...bars.map((slice) => bar(slice, top, 16)))
    top += LANE
  }
  top += 14

  const reloads = of("link-h2d", "reload")
  const verifies = of("request", "verify")
  const requests = [...new Set([...of("request", "draft"), ...verifies].map(({ request }) => request))]
  for (const request of requests.toSorted((a, b) => a - b)) {
    const own = (all: readonly Slice[]): readonly Slice[] => all.filter((slice) => slice.request === request)
    body.push(label(`request ${request}`, top + 10, 11))
    body.push(...own(of("request", "draft")).map((slice) => bar(slice, top + 3, 5)))
    body.push(...own(of("request", "stalled")).map((slice) => bar(slice, top + 3, 5)))
    body.push(...own(reloads).map((slice) => bar(slice, top + 9, 3)))
    body.push(...own(verifies).map((slice) => bar(slice, top + 1, 12)))
    for (const { end, tokens } of own(verifies)) {
      if (end < FROM + SPAN - 1.5e8)
        body.push(`<text x="${round(x(end) + 2)}" y="${top + 1}" font-size="8.5">+${tokens}</text>`)
    }
    top += ROW
  }
  top += 6

  for (let at = 0; at <= SPAN; at += 5e8) {
    const px = round(x(FROM + at))
    body.unshift(
      `<line x1="${px}" y1="${TOP - 6}" x2="${px}" y2="${top}" stroke="${INK}" stroke-opacity="0.25"/>`
    )
    body.push(
      `<text x="${px}" y="${top + 14}" text-anchor="middle" font-size="11">${(FROM + at) / 1e9} s</text>`
    )
  }

  let px = LEFT
  const shown = new Set(slices.map(({ kind }) => kind))
  const legend = [
    ["draft", "draft on compressed KV"],
    ["reload", "reload of full KV"],
    ["verify", "verify, and tokens committed"],
    ["stalled", "drafted, waits for its reload"]
  ].flatMap(([kind, text]) => {
    if (kind === "stalled" && !shown.has("stalled")) return []
    const entry = `<rect x="${px}" y="12" width="12" height="12" fill="${COLOURS[kind!]}"/><text x="${px + 18}" y="22" font-size="12">${text}</text>`
    px += 40 + text!.length * 6.6
    return [entry]
  })
  const height = top + 26
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="system-ui, sans-serif" fill="${INK}" role="img" aria-label="${(SPAN / 1e9).toFixed(0)} seconds of staggered rounds: while all requests draft, the link reloads one KV after the other, and each verify follows its reload">`,
    ...legend,
    ...body,
    "</svg>",
    ""
  ].join("\n")
}

writeFileSync(TARGET, picture(simulateSlices()))
