/**
 * A request's compressed KV, built from its full one: at once while all of that is on the device, or layer by layer as it
 * streams through a verify. In the latter case the method is asked before the pass, by what was seen until then; the old copy
 * stays until the new one is whole.
 */
import { Effect } from "effect"
import type { DeviceLost } from "../runtime/ports.ts"
import { draftView, fullView, type Move, nextView, packedPages } from "./cache/device-cache.ts"
import { type Observed, readObservation, restoreAttention } from "./cache/observing.ts"
import { layOut, type PackedLayout } from "./cache/packed-layout.ts"
import type { Compression, Observation } from "./compressors/compressor.ts"
import { type Engine, observedFlags } from "./engine.ts"
import { emptyTail, type Session, type Tail } from "./session.ts"

/**
 * Builds the compressed KV from the full one on the device: asks the method what stays, packs it, copies the newest tokens
 * behind it. `again`: by the method's last answer, with everything since in the tail.
 */
export const compress = (engine: Engine, session: Session, again = false): Effect.Effect<void, DeviceLost> =>
  Effect.gen(function* () {
    const { full } = session
    if (full === undefined) throw new Error(`request ${session.id} has no full KV to compress`)
    const { compressor, budget } = engine.options
    const { cache, device } = engine.state
    const known = again ? session.compression : undefined
    if (known === undefined && compressor.needs.attention?.over === "reconstruction")
      readAgain(engine, session, full)
    const page: Observed["page"] = (index) =>
      device.read(cache.arena, full.pages[index]! * cache.pageBytes, cache.pageBytes)
    const compression = known ?? compressor.compress(yield* observe(engine, session, full.end, page), budget)
    session.compression = compression
    engine.dropDraft(session)
    const layout = layoutOf(engine, compression)
    session.packed = engine.take(packedPages(engine.shape, layout))
    const [from, to] = [fullView(session.place), draftView(session.place)]
    cache.describePacked(to, compression, layout, session.packed)
    cache.pack(from, to, compression, layout, session.packed)
    const tail = emptyTail(compression.tailStart, engine.shape.config.layers)
    session.tail = tail
    copyToTail(engine, session, tail.start, full.end)
  })

/** Copies tokens [from, to) of the full KV on the device behind the compressed one. */
export const copyToTail = (engine: Engine, session: Session, from: number, to: number): void => {
  engine.extend(session, "draft", to)
  const tail = session.tail!
  engine.state.cache.copyRows(moves(session, draftView(session.place), tail.start, from, to))
  tail.end = Math.max(tail.end, to)
}

// --- layer by layer ---

/** Asks the method what stays of the tokens before a verify that streams, and makes room for it and for all rows up to `end`. */
export const beginNext = (engine: Engine, session: Session, end: number): Effect.Effect<void, DeviceLost> =>
  Effect.gen(function* () {
    const { home, place } = session
    const { cache } = engine.state
    const { compressor, budget } = engine.options
    if (compressor.needs.attention?.over === "reconstruction")
      throw new Error(`${compressor.name} reads its context a second time, which has to be there whole`)
    const page: Observed["page"] = (index) => Effect.succeed(engine.pool.page(home, index))
    const observation = yield* observe(engine, session, session.full!.end, page)
    const compression = compressor.compress(observation, budget)
    const layout = layoutOf(engine, compression)
    const packed = engine.take(packedPages(engine.shape, layout))
    const start = compression.tailStart
    const pages = engine.take(Math.ceil((end - start) / engine.shape.pageTokens))
    const tail: Tail = { start, end, held: engine.shape.config.layers, pages }
    cache.describePacked(nextView(place), compression, layout, packed)
    cache.setTail(nextView(place), pages)
    session.next = { observation, compression, layout, packed, tail }
  })

/** Packs a layer of full KV that is on the device, and copies the newest rows of it behind. */
export const packNext = (engine: Engine, session: Session, layer: number): void => {
  const { place, next } = session
  if (next === undefined) return
  const { cache } = engine.state
  const { compression, layout, packed, tail } = next
  const view = nextView(place)
  const layers = { from: layer, to: layer + 1 }
  cache.pack(fullView(place), view, compression, layout, packed, layers)
  cache.copyRows(moves(session, view, tail.start, tail.start, tail.end), layers)
}

/** All layers are packed, and rows up to `end` are final: drafts attend to the new copy from here on. */
export const adoptNext = (engine: Engine, session: Session, end: number): void => {
  const { next } = session
  if (next === undefined) return
  const { cache } = engine.state
  const { compression, layout, packed, tail } = next
  engine.dropDraft(session)
  cache.describePacked(draftView(session.place), compression, layout, packed)
  cache.setTail(draftView(session.place), tail.pages)
  tail.end = end
  session.compression = compression
  session.packed = packed
  session.tail = tail
  session.next = undefined
}

/** The verify read what never came: the old copy stays, and what its rows attended to was not seen. */
export const giveUpNext = (engine: Engine, session: Session): void => {
  const { next } = session
  if (next === undefined) return
  const { device, observations } = engine.state
  const { needs } = engine.options.compressor
  restoreAttention(device, engine.shape, observations, needs, session.place, next.observation)
  engine.dropNext(session)
}

// --- what a method sees ---

const observe = (
  engine: Engine,
  { place, prompt }: Session,
  tokens: number,
  page: Observed["page"]
): Effect.Effect<Observation, DeviceLost> => {
  const { device, observations } = engine.state
  const observed = { slot: place, tokens, prompt: prompt.tokens.length, page }
  return readObservation(device, engine.shape, observations, engine.options.compressor.needs, observed)
}

/**
 * Has the model read the context, or as much of its end as the method wants, a second time behind the first, and observes
 * what it attends to. The rows it writes lie beyond the context's end and are overwritten later.
 */
const readAgain = (engine: Engine, session: Session, full: Tail): void => {
  const { device, tokens, forward } = engine.state
  const { end } = full
  const { needs } = engine.options.compressor
  const { maxRows, maxTokens } = engine.shape
  const base = session.place * maxTokens
  const flags = observedFlags(session.place, needs)
  // The newest token waits where the second reading is put.
  const aside = device.buffer("newest token", 4)
  const copyToken = (source: GPUBuffer, from: number, target: GPUBuffer, to: number): void => {
    const encoder = device.raw.createCommandEncoder()
    encoder.copyBufferToBuffer(source, from, target, to, 4)
    device.raw.queue.submit([encoder.finish()])
  }
  copyToken(tokens, (base + end) * 4, aside, 0)
  const room = Math.min(maxRows, maxTokens - end)
  engine.extend(session, "full", end + room)
  for (let from = Math.max(0, end - (needs.attention?.rows ?? end)); from < end; from += room) {
    const again = session.tokens.slice(from, Math.min(end, from + room))
    device.write(tokens, (base + end) * 4, Uint32Array.from(again))
    forward.submit({
      rows: again.map((_, i) => ({
        view: fullView(session.place),
        position: end + i,
        tail: end + i,
        flags
      })),
      choices: [],
      steps: 1,
      entries: end + again.length,
      rotated: false,
      observed: true,
      queried: false
    })
  }
  copyToken(aside, 0, tokens, (base + end) * 4)
  device.destroy(aside)
}

const layoutOf = ({ shape }: Engine, compression: Compression): PackedLayout =>
  layOut(compression, { ...shape.config, kvBits: shape.kvBits })

/** Tokens [from, to) of the full KV, to the tail of another view of the request, which begins at token `start`. */
const moves = (
  { place }: Session,
  toView: number,
  start: number,
  from: number,
  to: number
): readonly Move[] =>
  Array.from({ length: Math.max(0, to - from) }, (_, i) => ({
    fromView: fullView(place),
    from: from + i,
    toView,
    to: from + i - start
  }))
