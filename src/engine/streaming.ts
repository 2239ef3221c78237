/**
 * Passes that read full KV as it comes, layer by layer. While a layer is on the device the rows a pass adds to it are gathered
 * on their way home, and those of verifies join the draft view's tail, or the layer is packed anew; then its place is another
 * layer's.
 */
import { Effect } from "effect"
import type { DeviceLost } from "../runtime/ports.ts"
import { draftView, type Move } from "./cache/device-cache.ts"
import { beginNext, packNext } from "./compressing.ts"
import { type Engine, layersHeld } from "./engine.ts"
import { tokenWords } from "./kernels/shape.ts"
import type { Batch, Row } from "./model/forward.ts"
import type { Session } from "./session.ts"

/** A row whose full KV streams. Those of a request follow one another. */
export interface Streamed {
  readonly session: Session
  readonly row: Row
}

const membersOf = (rows: readonly Streamed[]): readonly Session[] => [
  ...new Set(rows.map(({ session }) => session))
]

/** Verifies that stream pack the compressed KV anew. */
const renews = ({ options: { serving, compressor } }: Engine): boolean =>
  serving.streams === "verifies" && compressor.mode === "online"

/** Rows of verifies that stream join the compressed KV there is. */
const joinsTail = (engine: Engine): boolean =>
  engine.options.serving.streams === "verifies" && !renews(engine)

/** Room for the layers that come, and for the rows the pass adds to them. */
export const makeRoom = (engine: Engine, rows: readonly Streamed[]): void => {
  const { config, maxRows } = engine.shape
  if (rows.length > maxRows) throw new Error("more rows stream than a pass has")
  for (const session of membersOf(rows)) {
    const positions = rows.flatMap((one) => (one.session === session ? [one.row.position] : []))
    const first = positions[0]!
    const end = positions.at(-1)! + 1
    if (session.home.tokens < first)
      throw new Error(`request ${session.id} streams full KV that is not in host memory`)
    engine.extend(session, "full", end, layersHeld(config.layers, 0))
    session.full!.end = first
    if (joinsTail(engine)) engine.extend(session, "draft", end)
  }
}

/**
 * Submits a batch whose first rows are `rows`. False if their KV did not come as it was: then what they yield counts for
 * nothing. Where full KV is nowhere else, the pass is repeated until it has come.
 */
export const submitStreaming = (
  engine: Engine,
  batch: Batch,
  rows: readonly Streamed[]
): Effect.Effect<boolean, DeviceLost> =>
  Effect.gen(function* () {
    const { feed } = engine
    const { cache, forward } = engine.state
    const everything = engine.options.serving.streams === "everything"
    const members = membersOf(rows)
    const going = rows.map(({ row }) => ({ fromView: row.view, from: row.tail }))
    const joining = joinsTail(engine) ? rows.map(toDraftView) : []
    // Of requests that have nothing yet, nothing is on its way.
    const waits = members.some(({ full }) => full!.end > 0)
    feed.open(members)
    if (renews(engine))
      for (const session of members)
        yield* beginNext(engine, session, session.full!.end + session.drafts.length + 1)
    for (;;) {
      yield* forward.submitInLayers(
        batch,
        (layer) => (waits ? feed.until(() => feed.arrived > layer || feed.verdict === "void") : Effect.void),
        {
          before: (layer) => {
            for (const session of members) engine.aim(session, layer)
          },
          after: (layer) => {
            const layers = { from: layer, to: layer + 1 }
            cache.gather(going, layers)
            cache.copyRows(joining, layers)
            for (const session of members) packNext(engine, session, layer)
            feed.compute(layer + 1)
          }
        }
      )
      if (waits) yield* feed.until(() => feed.verdict !== "coming")
      if (feed.verdict !== "void") return true
      if (!everything) return false
      feed.reopen(members)
    }
  })

/** Rows added to full KV that lives in host memory go there; what came of it is given up. */
export const sendHome = (engine: Engine, rows: readonly Streamed[]): Effect.Effect<void, DeviceLost> =>
  Effect.map(engine.state.cache.startReadingGathered(0, rows.length).collect, (bytes) => {
    const rowBytes = tokenWords(engine.shape) * 4
    for (const session of membersOf(rows)) {
      const first = rows.findIndex((one) => one.session === session)
      const count = rows.filter((one) => one.session === session).length
      const own = bytes.subarray(first * rowBytes, (first + count) * rowBytes)
      engine.pool.append(session.home, own, session.tokens, rows[first]!.row.position)
      session.bytesOut += own.length
      engine.dropFull(session)
    }
    engine.wentHome += bytes.length
  })

/** A row of full KV, into the tail of its request's draft view. */
const toDraftView = ({ session, row }: Streamed): Move => ({
  fromView: row.view,
  from: row.tail,
  toView: draftView(session.place),
  to: row.tail - session.tail!.start
})
