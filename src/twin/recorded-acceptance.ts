/** How often drafts agreed in recorded runs, position by position: the acceptance of prompts like these. */
import { EVENT_KINDS } from "../trace/recorder.ts"
import type { TraceStore } from "../trace/store.ts"

export interface RecordedAcceptance {
  /** P(token i + 1 agrees | all before it agreed), as far as there were rounds to tell. */
  readonly curve: readonly number[]
  readonly rounds: number
  readonly meanAccepted: number
}

/** Fewest rounds that reached a position, for it to be told. */
const FEWEST = 4

interface Round {
  readonly drafted: number
  readonly accepted: number
}

const roundsOf = ({ slices, tracks }: TraceStore): readonly Round[] => {
  const drafted = new Map<string, number>()
  const rounds: Round[] = []
  for (let row = 0; row < slices.length; row++) {
    if (tracks[slices.track[row]!]!.kind !== "request" || slices.round[row] === 0) continue
    const key = `${slices.request[row]} ${slices.round[row]}`
    const kind = EVENT_KINDS[slices.kind[row]!]
    if (kind === "draft") drafted.set(key, slices.tokens[row]!)
    else if (kind === "verify")
      rounds.push({ drafted: drafted.get(key) ?? slices.accepted[row]!, accepted: slices.accepted[row]! })
  }
  return rounds
}

/**
 * The product-limit estimate (Kaplan and Meier 1958): a round that kept all of its drafts says nothing of the position behind the
 * last. Undefined without rounds enough.
 */
export const recordedAcceptance = (traces: readonly TraceStore[]): RecordedAcceptance | undefined => {
  const rounds = traces.flatMap(roundsOf)
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
  return { curve, rounds: rounds.length, meanAccepted: kept / rounds.length }
}
