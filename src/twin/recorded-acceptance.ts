/** How often drafts agreed in recorded runs, position by position: the acceptance of prompts like these. */
import { EVENT_KINDS } from "../trace/recorder.ts"
import type { TraceStore } from "../trace/store.ts"

export interface RecordedAcceptance {
  /** P(token i + 1 agrees | all before it agreed), as far as there were rounds to tell. */
  readonly curve: readonly number[]
  /** Rounds it was seen in: the first ones of each request. */
  readonly rounds: number
  readonly meanAccepted: number
  /** Correlation of two rounds of one request; undefined where no request has several. */
  readonly requestCorrelation: number | undefined
}

/** Fewest rounds that reached a position, for it to be told. */
const FEWEST = 4

interface Round {
  /** Rounds of one request of one run share it. */
  readonly request: string
  /** Its number in the request, from 1. */
  readonly number: number
  readonly drafted: number
  readonly accepted: number
}

const roundsOf = ({ slices, tracks }: TraceStore, run: number): readonly Round[] => {
  const drafted = new Map<string, number>()
  const rounds: Round[] = []
  for (let row = 0; row < slices.length; row++) {
    if (tracks[slices.track[row]!]!.kind !== "request" || slices.round[row] === 0) continue
    const key = `${slices.request[row]} ${slices.round[row]}`
    const kind = EVENT_KINDS[slices.kind[row]!]
    if (kind === "draft") drafted.set(key, slices.tokens[row]!)
    else if (kind === "verify")
      rounds.push({
        request: `${run} ${slices.request[row]}`,
        number: slices.round[row]!,
        drafted: drafted.get(key) ?? slices.accepted[row]!,
        accepted: slices.accepted[row]!
      })
  }
  return rounds
}

const mean = (values: readonly number[]): number => values.reduce((sum, one) => sum + one, 0) / values.length

/**
 * How alike rounds of one request are: the mean product of two of them over the mean square of one, as deviations from the mean of where a round
 * stands among all (0: nothing agrees, 1: everything), which is known between two positions only, or up to the end of its window.
 */
const correlation = (rounds: readonly Round[], curve: readonly number[]): number | undefined => {
  const survival = curve.reduce<number[]>((all, agrees) => [...all, all.at(-1)! * agrees], [1])
  const at = (position: number): number => survival[Math.min(position, curve.length)]!
  const places = rounds.map(({ drafted, accepted }) =>
    accepted >= drafted ? at(accepted) / 2 : (at(accepted) + at(accepted + 1)) / 2
  )
  const middle = mean(places)
  const off = rounds.map(({ request }, i) => ({ request, by: places[i]! - middle }))
  let [products, several] = [0, 0]
  for (const own of Map.groupBy(off, ({ request }) => request).values()) {
    if (own.length === 1) continue
    const sum = own.reduce((total, { by }) => total + by, 0)
    // Each round with the others of its request, on average.
    products += (sum ** 2 - own.reduce((total, { by }) => total + by ** 2, 0)) / (own.length - 1)
    several += own.length
  }
  const square = mean(off.map(({ by }) => by ** 2))
  return several === 0 || square === 0 ? undefined : Math.min(1, Math.max(0, products / several / square))
}

/** Share of the requests that had a round of some number, for it to speak for them all. */
const NEARLY_ALL = 0.9
/** At least. */
const FIRST = 2

/** The first rounds of each request, up to the last that nearly all of them had: those who accept little have more, and would count for more. */
const firstRounds = (rounds: readonly Round[]): readonly Round[] => {
  const requests = new Set(rounds.map(({ request }) => request)).size
  const had = Map.groupBy(rounds, ({ number }) => number)
  let last = FIRST
  while (had.has(last + 1) && had.get(last + 1)!.length >= NEARLY_ALL * requests) last++
  return rounds.filter(({ number }) => number <= last)
}

/**
 * The product-limit estimate (Kaplan and Meier 1958): a round that kept all of its drafts says nothing of the position behind the
 * last. Undefined without rounds enough.
 */
export const recordedAcceptance = (traces: readonly TraceStore[]): RecordedAcceptance | undefined => {
  const all = traces.flatMap(roundsOf)
  const rounds = firstRounds(all)
  const curve: number[] = []
  for (let position = 1; ; position++) {
    const reached = rounds.filter(
      ({ drafted, accepted }) => drafted >= position && accepted >= position - 1
    ).length
    if (reached < FEWEST) break
    curve.push(rounds.filter(({ accepted }) => accepted >= position).length / reached)
  }
  if (curve.length === 0) return undefined
  const kept = rounds.reduce((sum, { accepted }) => sum + accepted, 0)
  return {
    curve,
    rounds: rounds.length,
    meanAccepted: kept / rounds.length,
    // Of all rounds: the next one is more like a round than those after it.
    requestCorrelation: correlation(all, curve)
  }
}
