/** What a verify comes to: which drafts full KV agreed with, and what becomes of its rows. */
import { Effect } from "effect"
import { matchCommit } from "../protocol/commit.ts"
import type { DeviceLost, Iteration, Verified } from "../runtime/ports.ts"
import { fullView } from "./cache/device-cache.ts"
import { adoptNext, compress, copyToTail, giveUpNext } from "./compressing.ts"
import type { Engine } from "./engine.ts"
import type { Session } from "./session.ts"

/** A request whose drafts are verified, and what full KV yields after each of its rows. */
export interface Verifying {
  readonly session: Session
  readonly chosen: number[]
}

export interface Settled {
  readonly verified: Verified
  /** Makes it final, once the run of passes has succeeded. */
  readonly settle: () => void
}

/** Leaves the drafts a pass verifies: those that were planned, and where verifies stream, those that fit its one submission. */
export const trimDrafts = (engine: Engine, { verify, proposals }: Iteration): void => {
  const { shape, options } = engine
  let room = options.serving.streams === "verifies" ? shape.maxRows - verify.length : Number.POSITIVE_INFINITY
  for (const item of verify) {
    const { drafts } = engine.session(item.request)
    // Where steps yield several tokens, the plan only expects a number.
    const planned = proposals > 0 ? drafts.length : item.drafted
    drafts.length = Math.min(drafts.length, planned, room)
    room -= drafts.length
  }
}

/**
 * Keeps what full KV agreed with, sends the new rows home and into the compressed KV, and drops the rest. `gathered`: where its
 * rows stand among those gathered layer by layer, −1 if they were not.
 */
export const settleVerify = (
  engine: Engine,
  { session, chosen }: Verifying,
  gathered: number
): Effect.Effect<Settled, DeviceLost> =>
  Effect.gen(function* () {
    const { state, options } = engine
    const { drafts, proposals } = session
    const left = session.prompt.maxTokens - session.produced
    const commit = matchCommit(drafts, chosen)
    const tokens = engine.untilStop(commit.tokens.slice(0, left))
    const accepted = Math.min(commit.accepted, tokens.length - 1)
    const drafted = Math.min(drafts.length, left - 1)
    const rejected = drafts.slice(accepted)
    const first = session.tokens.length - 1
    const end = first + tokens.length
    // Accepted drafts stand in the token buffer already; the verifier's own token replaces what was drafted there.
    engine.writeTokens(session, end, tokens.slice(-1))
    // Rows of the tokens before the newest are exact now: the verifier wrote them.
    session.full!.end = end
    const home =
      gathered >= 0
        ? [state.cache.startReadingGathered(gathered, tokens.length)]
        : options.serving.keepsFull
          ? []
          : state.cache.startReading(fullView(session.place), first, tokens.length)
    if (gathered < 0) yield* recompress(engine, session, first, end)
    else if (session.next !== undefined) adoptNext(engine, session, end)
    // Rows that were gathered are in the tail as well.
    else session.tail!.end = Math.max(session.tail!.end, end)
    return {
      verified: {
        request: session.id,
        drafted,
        accepted,
        ...(options.ngram === undefined ? {} : { proposals })
      },
      settle: () => {
        session.saving.push(...home)
        if (!options.serving.keepsFull) engine.dropFull(session)
        session.dropDrafts()
        session.rounds++
        session.drafted += drafted
        session.accepted += accepted
        session.proposed += proposals.proposed
        session.agreed += proposals.agreed
        engine.commit(session, tokens, accepted, rejected)
      }
    }
  })

/** A verify that read KV that never came: it counts for nothing. Its drafts wait for the next. */
export const voidVerify = (engine: Engine, session: Session): Verified => {
  giveUpNext(engine, session)
  engine.dropFull(session)
  return { request: session.id, drafted: session.drafts.length, accepted: 0 }
}

/** New tokens join the compressed KV: by the method anew while the full KV is here, or in the tail. */
const recompress = (
  engine: Engine,
  session: Session,
  first: number,
  end: number
): Effect.Effect<void, DeviceLost> => {
  if (engine.options.compressor.mode === "online") return compress(engine, session)
  copyToTail(engine, session, first, end)
  return Effect.void
}
