/** Rounds laid over each other: each on the time since it began, or before and after its verification began. Pure. */
import { quantileSorted } from "d3"
import type { Rounds } from "../../trace/rounds.ts"

export const ALIGNMENTS = ["start", "verify"] as const
export type Alignment = (typeof ALIGNMENTS)[number]

/** The rounds chosen; position 0 of all is `lead` ns before what they are aligned by. */
export interface Cycles {
  /** Places in the trace's rounds. */
  readonly places: readonly number[]
  /** Time of the run that is position 0, a round each. ns. */
  readonly zero: Float64Array
  readonly lead: number
  /** The longest, ns. */
  readonly length: number
}

/** When a round's first part begins: its draft, unless it has none. */
const beginOf = ({ draftStart, reloadStart, verifyStart }: Rounds, place: number): number =>
  [draftStart[place]!, reloadStart[place]!, verifyStart[place]!].reduce(
    (least, one) => (one < least ? one : least),
    Infinity
  )

/** `request`: only its rounds. */
export const cyclesOf = (rounds: Rounds, request: number | undefined, by: Alignment): Cycles => {
  const all = Array.from({ length: rounds.length }, (_, place) => place)
  const places = request === undefined ? all : all.filter((place) => rounds.request[place] === request)
  const begins = places.map((place) => beginOf(rounds, place))
  const leads = places.map((place, i) => (by === "start" ? 0 : rounds.verifyStart[place]! - begins[i]!))
  const lead = leads.reduce((most, one) => Math.max(most, one), 0)
  const zero = Float64Array.from(places, (_, i) => begins[i]! + leads[i]! - lead)
  const length = places.reduce((most, place, i) => Math.max(most, rounds.verifyEnd[place]! - zero[i]!), 1)
  return { places, zero, lead, length }
}

/** A part of rounds: how long it took, over those that have it. ns. */
export interface Phase {
  readonly name: string
  readonly meaning: string
  readonly count: number
  readonly mean: number
  readonly p50: number
  readonly p95: number
}

export const phasesOf = (rounds: Rounds, places: readonly number[]): readonly Phase[] => {
  const phase = (name: string, meaning: string, took: (place: number) => number): Phase => {
    const times = places
      .map(took)
      .filter((time) => time >= 0)
      .toSorted((a, b) => a - b)
    const mean = times.reduce((sum, time) => sum + time, 0) / times.length
    return {
      name,
      meaning,
      count: times.length,
      mean,
      p50: quantileSorted(times, 0.5) ?? Number.NaN,
      p95: quantileSorted(times, 0.95) ?? Number.NaN
    }
  }
  return [
    phase("draft", "first proposal to last", (i) => rounds.draftEnd[i]! - rounds.draftStart[i]!),
    phase("reload", "full KV on its way to the GPU", (i) => rounds.reloadEnd[i]! - rounds.reloadStart[i]!),
    phase("reload after the draft", "what of the reload the draft did not hide", (i) =>
      Math.max(0, rounds.reloadEnd[i]! - Math.max(rounds.reloadStart[i]!, rounds.draftEnd[i]!))
    ),
    phase(
      "wait",
      "end of the draft to the verification",
      (i) => rounds.verifyStart[i]! - rounds.draftEnd[i]!
    ),
    phase("verify", "the pass that judges the draft", (i) => rounds.verifyEnd[i]! - rounds.verifyStart[i]!),
    phase("whole round", "first part to last", (i) => rounds.verifyEnd[i]! - beginOf(rounds, i))
  ].filter(({ count }) => count > 0)
}

/** Tokens of rounds together. */
export const tokensOf = (
  { drafted, accepted, tokens }: Rounds,
  places: readonly number[]
): { readonly drafted: number; readonly accepted: number; readonly brought: number } => ({
  drafted: places.reduce((sum, place) => sum + drafted[place]!, 0),
  accepted: places.reduce((sum, place) => sum + accepted[place]!, 0),
  brought: places.reduce((sum, place) => sum + tokens[place]!, 0)
})
