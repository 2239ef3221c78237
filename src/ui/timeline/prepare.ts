/** All that is worked out once for a trace before it is shown. Pure; a worker does it (`preparing.ts`). */
import { type Stretches, stretchesOf } from "../../trace/occupation.ts"
import { type Bounded, boundedOf } from "../../trace/pass-limits.ts"
import { type Rounds, roundsOf } from "../../trace/rounds.ts"
import type { TraceView } from "../shell/traces.ts"
import { timelineModel, type TimelineModel } from "./model.ts"

export interface Prepared {
  readonly trace: TraceView
  readonly model: TimelineModel
  /** What each replica's time went to. */
  readonly stretches: readonly Stretches[]
  /** What bounded the passes of each replica whose passes say so. */
  readonly bounded: readonly Bounded[]
  readonly rounds: Rounds
}

export const prepared = (trace: TraceView): Prepared => {
  const stretches = stretchesOf(trace)
  return {
    trace,
    model: timelineModel(trace, stretches),
    stretches,
    bounded: boundedOf(trace),
    rounds: roundsOf(trace)
  }
}

/** The memory of all columns in it, for moving it to another thread. */
export const buffersOf = (value: unknown): ArrayBuffer[] => {
  const found = new Set<ArrayBuffer>()
  const look = (one: unknown): void => {
    if (ArrayBuffer.isView(one)) {
      if (one.buffer instanceof ArrayBuffer) found.add(one.buffer)
    } else if (typeof one === "object" && one !== null) for (const part of Object.values(one)) look(part)
  }
  look(value)
  return [...found]
}
