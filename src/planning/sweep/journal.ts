/**
 * What is done of a sweep, as it is kept while it runs: a file that only grows, a line for each row. Every line carries its
 * own checksum, so that what a crash or a power cut left half-written is seen and cut off, wherever it was cut.
 *
 *     0c1a43e85b2f9d76 {"journal":1,"sweep":…}     whose rows these are
 *     77f0b1d2c3a4958e ["3f…",1000,17,1,…]         one row, in the order of the header's columns
 */
import { digestOf } from "../../trace/digest.ts"
import type { Column, Row } from "../files/table.ts"
import type { PointOptions } from "../points.ts"
import type { Shard } from "./design.ts"
import type { Ingredients } from "./load-sweep.ts"
import type { SweepIdentity } from "./row.ts"

export interface JournalHeader extends SweepIdentity {
  readonly journal: 1
  /** Of vericache. */
  readonly version: string
  readonly ingredients: Ingredients
  readonly options: PointOptions
  readonly shard: Shard
  readonly columns: readonly Column[]
}

/** Place of the number of the point in a row. */
const POINT = 2

const line = (content: unknown): string => {
  const json = JSON.stringify(content)
  return `${digestOf(json)} ${json}\n`
}

export const headerLine = (header: JournalHeader): string => line(header)
export const rowLine = (row: Row): string => line(row)

const CHECKSUM = 16
const NEWLINE = 10

/** What a line says; undefined if it is not as it was written. */
const content = (bytes: Uint8Array): unknown => {
  if (bytes.length <= CHECKSUM) return undefined
  const json = bytes.subarray(CHECKSUM + 1)
  const checksum = new TextDecoder().decode(bytes.subarray(0, CHECKSUM + 1))
  return checksum === `${digestOf(json)} ` ? JSON.parse(new TextDecoder().decode(json)) : undefined
}

export interface JournalContents {
  /** Undefined if not even that was written. */
  readonly header: JournalHeader | undefined
  /** Where the line of each point is, by its number. */
  readonly lines: ReadonlyMap<number, { readonly start: number; readonly end: number }>
  /** Bytes up to the end of the last line that is whole; what follows is to be cut off. */
  readonly soundBytes: number
  /** Lines in between that are not as they were written: their points are to be simulated again. */
  readonly damaged: number
}

/** Reads a journal however it ends. */
export const readJournal = (bytes: Uint8Array): JournalContents => {
  let header: JournalHeader | undefined
  const lines = new Map<number, { readonly start: number; readonly end: number }>()
  let soundBytes = 0
  let damaged = 0
  let suspects = 0
  for (let start = 0, end; (end = bytes.indexOf(NEWLINE, start)) >= 0; start = end + 1) {
    const said = content(bytes.subarray(start, end))
    if (said === undefined) {
      suspects++
      continue
    }
    if (Array.isArray(said)) {
      const point = said[POINT] as number
      if (!lines.has(point)) lines.set(point, { start, end })
    } else if (start === 0) header = said as JournalHeader
    damaged += suspects
    suspects = 0
    soundBytes = end + 1
  }
  return { header, lines, soundBytes, damaged }
}

/** The row of a line that `readJournal` found. What is undefined in a list, JSON writes as null. */
export const rowAt = (
  bytes: Uint8Array,
  { start, end }: { readonly start: number; readonly end: number }
): Row =>
  (content(bytes.subarray(start, end)) as readonly (string | number | boolean | null)[]).map(
    (cell) => cell ?? undefined
  )

/** Why rows of one header cannot go on under another, in words; undefined if they can. */
export const mismatch = (kept: JournalHeader, wanted: JournalHeader): string | undefined => {
  const sameOptions = (["theory", "digest"] as const).every(
    (key) => (kept.options[key] ?? false) === (wanted.options[key] ?? false)
  )
  const sameColumns = JSON.stringify(kept.columns) === JSON.stringify(wanted.columns)
  const reasons: readonly (readonly [holds: boolean, words: string])[] = [
    [kept.version !== wanted.version, `it was written by vericache ${kept.version}`],
    [kept.ingredients.sweep !== wanted.ingredients.sweep, "the sweep file has changed"],
    [kept.ingredients.scenario !== wanted.ingredients.scenario, "the scenario has changed"],
    [
      kept.ingredients.files !== wanted.ingredients.files,
      "a file that the scenario names, or the catalog, has changed"
    ],
    [!sameOptions, "--theory or --digest were given otherwise"],
    [
      kept.shard.index !== wanted.shard.index || kept.shard.count !== wanted.shard.count,
      `it holds shard ${kept.shard.index}/${kept.shard.count}`
    ]
  ]
  const because = reasons.filter(([holds]) => holds).map(([, words]) => words)
  // Of one version, from source that has changed since.
  if (because.length === 0 && !sameColumns) return "its rows have other columns"
  return because.length === 0 ? undefined : because.join("; ")
}

/** Fingerprint of all that the results depend on. */
export const sweepId = (
  version: string,
  ingredients: Ingredients,
  { theory, digest }: PointOptions
): string => digestOf(JSON.stringify([version, ingredients, theory ?? false, digest ?? false]))
