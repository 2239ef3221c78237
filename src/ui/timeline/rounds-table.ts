/** The rounds as tables: what their parts took, and every round by itself. */
import { judgedOf, type Rounds } from "../../trace/rounds.ts"
import { exportButtons } from "../components/download.ts"
import { element } from "../components/element.ts"
import { type Cycles, phasesOf } from "./cycles.ts"
import { bytesText, timeText } from "./numbers.ts"
import { pagedTable } from "./paged-table.ts"
import { type Column, table } from "./table.ts"

export const phasesTable = (rounds: Rounds, { places }: Cycles, basis: string): readonly HTMLElement[] => {
  const phases = phasesOf(rounds, places)
  return [
    element(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": "Parts of the rounds" },
      table(
        "What the parts of a round took",
        [
          { name: "part", text: true },
          { name: "rounds" },
          { name: "mean" },
          { name: "p50" },
          { name: "p95" },
          { name: "meaning", text: true }
        ],
        phases.map(({ name, meaning, count, mean, p50, p95 }) => [
          name,
          count.toLocaleString("en"),
          ...[mean, p50, p95].map((ns) => timeText(ns, 4)),
          meaning
        ]),
        basis
      )
    ),
    exportButtons({
      name: "parts-of-rounds",
      table: () => [
        ["part", "rounds", "mean_ns", "p50_ns", "p95_ns"],
        ...phases.map(({ name, count, mean, p50, p95 }) => [name, count, mean, p50, p95])
      ]
    })
  ]
}

const COLUMNS: readonly Column[] = [
  { name: "request" },
  { name: "round" },
  { name: "verified at", title: "when its verification begins, from the start of the run" },
  { name: "draft" },
  { name: "reload" },
  { name: "wait", title: "end of the draft to the verification" },
  { name: "verify" },
  { name: "drafted" },
  { name: "accepted" },
  { name: "corrected" },
  { name: "rejected" },
  { name: "reloaded" }
]

/** Every round; times in ns, empty where a round has no such part. */
const cells = (rounds: Rounds, place: number): readonly (number | "")[] => {
  const took = (from: Float64Array, to: Float64Array): number | "" => {
    const ns = to[place]! - from[place]!
    return Number.isNaN(ns) ? "" : ns
  }
  const { accepted, corrected, rejected } = judgedOf(rounds, place)
  return [
    rounds.request[place]!,
    rounds.round[place]!,
    rounds.verifyStart[place]!,
    took(rounds.draftStart, rounds.draftEnd),
    took(rounds.reloadStart, rounds.reloadEnd),
    took(rounds.draftEnd, rounds.verifyStart),
    took(rounds.verifyStart, rounds.verifyEnd),
    rounds.drafted[place]!,
    accepted,
    corrected,
    rejected,
    rounds.bytes[place]!
  ]
}

/** `runOf`: which of two runs a round is of; undefined where there is one. */
export const roundsTable = (
  rounds: Rounds,
  { places }: Cycles,
  runOf: ((place: number) => string) | undefined,
  basis: string
): HTMLElement => {
  const run = (place: number): readonly string[] => (runOf === undefined ? [] : [runOf(place)])
  return pagedTable({
    summary: "Rounds as a table",
    label: "Every round",
    name: "rounds",
    columns: [...(runOf === undefined ? [] : [{ name: "run", text: true }]), ...COLUMNS],
    length: places.length,
    basis,
    texts: (at) => [
      ...run(places[at]!),
      ...cells(rounds, places[at]!).map((cell, i) => {
        if (cell === "") return "–"
        if (i >= 2 && i <= 6) return timeText(cell, i === 2 ? 9 : 4)
        return i === 11 ? bytesText(cell) : cell.toLocaleString("en")
      })
    ],
    csv: () => [
      [
        ...(runOf === undefined ? [] : ["run"]),
        "request",
        "round",
        "verify_start_ns",
        "draft_ns",
        "reload_ns",
        "wait_ns",
        "verify_ns",
        "drafted",
        "accepted",
        "corrected",
        "rejected",
        "bytes"
      ],
      ...places.map((place) => [...run(place), ...cells(rounds, place)])
    ]
  })
}
