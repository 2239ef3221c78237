/** What a trace says of a run of passes: what they were for, what they computed, and what bounded them. */
import type { EventArgs, EventKind } from "../trace/recorder.ts"
import type { Group, Iteration, IterationResult } from "./ports.ts"

/** What a trace says of one kind of position in a run of passes. */
export interface PassArgs {
  readonly tokens: number
  readonly members: number
  readonly kvTokens: number
}

/** What a pass was for: one kind of position, or several. */
export const kindOf = ({ decode, draft, verify, prefill }: Iteration): EventKind => {
  const kinds: EventKind[] = []
  if (decode.count > 0) kinds.push("decode")
  if (draft.count > 0) kinds.push("draft")
  if (verify.length > 0) kinds.push("verify")
  if (prefill.length > 0) kinds.push("prefill")
  return kinds.length === 1 ? kinds[0]! : "mixed"
}

/** A position for each member a step, and an entry more for each to attend to in the next. */
export const stepped = ({ count, kvTokens }: Group, steps: number): PassArgs => ({
  tokens: count * steps,
  members: count,
  kvTokens: kvTokens * steps + (count * steps * (steps - 1)) / 2
})

/** Several positions of each member at once; `reach`: entries the last of them attends to. */
export const spans = (items: readonly (readonly [positions: number, reach: number])[]): PassArgs => ({
  tokens: items.reduce((sum, [positions]) => sum + positions, 0),
  members: items.length,
  kvTokens: items.reduce((sum, [, reach]) => sum + reach, 0)
})

/**
 * What bounded passes, as shares of the `seconds` they are drawn for, which are more than theirs where they waited for a stream. Rounded
 * as a trace keeps them, HBM having what that leaves. Nothing where their physics only guesses.
 */
export const limitArgs = ({ limits, priced }: IterationResult, seconds: number): EventArgs => {
  if (priced !== true || seconds <= 0) return {}
  const { hbm, compute, interconnect, scheduling } = limits
  const share = (part: number): number => Math.round(Math.min(1, part / seconds) * 1e4) / 1e4
  const others = share(compute) + share(interconnect) + share(scheduling)
  return {
    limitHbm: Math.max(0, share(hbm + compute + interconnect + scheduling) - others),
    limitCompute: share(compute),
    limitInterconnect: share(interconnect),
    limitScheduling: share(scheduling)
  }
}
