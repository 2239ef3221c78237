/** Moves KV between host memory and the device, for requests one at a time. */
import { Effect } from "effect"
import type { DeviceLost, Transfer } from "../runtime/ports.ts"
import { draftView, fullView } from "./cache/device-cache.ts"
import { lackingRows, packedRows, type Place, tailAsItWas } from "./cache/lacking.ts"
import { compress } from "./compressing.ts"
import type { Feed } from "./feed.ts"
import { type Engine, layersHeld } from "./engine.ts"
import type { Session } from "./session.ts"
import { CHUNK_BYTES, type Piece } from "./webgpu/uploader.ts"

/** Carries a transfer out; the bytes that really moved. `feed`: of the pass it was ordered for. */
export const transfer = (
  engine: Engine,
  { request, kind, layers, tokens }: Transfer,
  feed: Feed
): Effect.Effect<number, DeviceLost> => {
  if (kind === "stream") return stream(engine, feed)
  if (kind === "save" && request < 0) return goneHome(engine, feed)
  const session = engine.sessions.get(request)
  if (session === undefined) return Effect.succeed(0)
  switch (kind) {
    case "reload":
      return reload(engine, session, layers)
    case "fetch":
      return fetch(engine, session, tokens)
    case "save":
      return save(engine, session)
  }
}

/**
 * Full KV from host memory into pages of the device, or what the compressed copy there lacks of it. `ahead`: only the first so
 * many layers; the others stream into the verify.
 */
const reload = (engine: Engine, session: Session, ahead?: number): Effect.Effect<number, DeviceLost> =>
  Effect.gen(function* () {
    const { epoch, home } = session
    const { layers } = engine.shape.config
    const still = (): boolean => session.epoch === epoch
    engine.place(session)
    engine.dropFull(session)
    engine.extend(session, "full", home.tokens, ahead === undefined ? layers : layersHeld(layers, ahead))
    const apart = ahead !== undefined || sparing(engine, session)
    let bytes = apart ? 0 : yield* bringPages(engine, session, still)
    for (let layer = 0; apart && layer < (ahead ?? layers) && still(); layer++)
      bytes += yield* bringLayer(engine, session, layer, home.tokens, still)
    yield* engine.state.device.idle
    if (!still()) return 0
    session.full!.end = home.tokens
    session.layersHere = ahead ?? layers
    session.bytesIn += bytes
    return bytes
  })

/** The compressed copy gives what it has. */
const sparing = (engine: Engine, session: Session): boolean =>
  engine.options.serving.reload === "missing" && session.tail !== undefined

/** Carries pages over as they lie. */
const bringPages = (
  engine: Engine,
  { home, full }: Session,
  still: () => boolean
): Effect.Effect<number, DeviceLost> => {
  const { cache, uploader } = engine.state
  const pieces: Piece[] = full!.pages.map((page, index) => ({
    data: engine.pool.page(home, index),
    offset: page * cache.pageBytes
  }))
  return Effect.as(uploader.post(cache.arena, pieces, still), pieces.length * cache.pageBytes)
}

/** Brings one layer of the first `tokens` tokens to its places; waits for no copy. */
const bringLayer = (
  engine: Engine,
  session: Session,
  layer: number,
  tokens: number,
  still: () => boolean
): Effect.Effect<number, DeviceLost> => {
  if (sparing(engine, session)) return bringMissing(engine, session, layer, tokens, still)
  const { cache, uploader } = engine.state
  const { home, full } = session
  const { layerBytes } = cache
  const pieces: Piece[] = Array.from({ length: Math.ceil(tokens / engine.shape.pageTokens) }, (_, block) => ({
    data: engine.pool.page(home, block).subarray(layer * layerBytes, (layer + 1) * layerBytes),
    offset: cache.layerOffset(full!, layer, block)
  }))
  return Effect.as(uploader.post(cache.arena, pieces, still), pieces.length * layerBytes)
}

/** Brings the rows of a layer whose bits the device does not have, and copies the others there. */
const bringMissing = (
  engine: Engine,
  session: Session,
  layer: number,
  tokens: number,
  still: () => boolean
): Effect.Effect<number, DeviceLost> =>
  Effect.gen(function* () {
    const { cache, placing } = engine.state
    const { home } = session
    const compression = session.compression!
    const tail = session.tail!
    const from = draftView(session.place)
    const view = fullView(session.place)
    // A pass may point the view at another layer while this one is on its way.
    const aimed = (): boolean => {
      if (!still()) return false
      engine.aim(session, layer)
      return true
    }
    const rows = lackingRows(compression, layer, { tokens, tailEnd: tail.end })
    const bytesOf = ({ position, head }: Place, side: 0 | 1): Uint8Array =>
      engine.pool.row(home, position, layer, side, head)
    let bytes = yield* placing.fromHost(view, layer, rows, bytesOf, aimed)
    bytes += yield* placing.fromPacked(from, view, layer, packedRows(compression, layer), aimed)
    if (!aimed() || !tailAsItWas(compression.format)) return bytes
    const spared = Math.max(0, Math.min(tail.end, tokens) - tail.start)
    cache.copyRows(
      Array.from({ length: spared }, (_, i) => ({
        fromView: from,
        from: i,
        toView: view,
        to: tail.start + i
      })),
      { from: layer, to: layer + 1 }
    )
    return bytes
  })

/** Layers of full KV into the pass under way, each as soon as there is a place for it. */
const stream = (engine: Engine, feed: Feed): Effect.Effect<number, DeviceLost> => {
  const { device } = engine.state
  return Effect.gen(function* () {
    let bytes = 0
    yield* feed.until(() => feed.members !== undefined)
    for (let layer = 0; layer < engine.shape.config.layers; layer++) {
      const coming = (feed.members ?? []).filter(({ layersHere }) => layer >= layersHere)
      yield* feed.until(() => coming.every(({ full }) => layer - full!.held < feed.computed))
      for (const session of coming) {
        if (feed.closed) return bytes
        const { epoch, full } = session
        const still = (): boolean => session.epoch === epoch && !feed.closed
        const moved = yield* bringLayer(engine, session, layer, full!.end, still)
        session.bytesIn += moved
        bytes += moved
      }
      if (feed.closed) return bytes
      feed.arrive(layer + 1)
    }
    yield* device.idle
    return bytes
  }).pipe(
    // A pass that is over has said itself what became of the device.
    Effect.catch((cause) => {
      if (feed.closed) return Effect.succeed(0)
      feed.lose(cause)
      return Effect.fail(cause)
    })
  )
}

/** What a pass over offloaded KV adds goes home with it. That is all told here: when it was done, and how much it was. */
const goneHome = (engine: Engine, feed: Feed): Effect.Effect<number, DeviceLost> =>
  Effect.map(
    feed.until(() => engine.wentHome > 0),
    () => {
      const bytes = engine.wentHome
      engine.wentHome = 0
      return bytes
    }
  )

/**
 * A context that is in host memory: all of it, and where drafts follow at once, its compressed form. They do not where `tokens` are
 * fewer than it has: whoever did not hear of the last rows that went home has them computed again.
 */
const fetch = (
  engine: Engine,
  session: Session,
  tokens = session.home.tokens
): Effect.Effect<number, DeviceLost> =>
  Effect.gen(function* () {
    const { epoch } = session
    engine.place(session)
    // It comes with the passes.
    if (engine.options.serving.streams === "everything") return 0
    engine.dropDraft(session)
    // Nothing compressed is left to complete it from.
    const bytes = yield* reload(engine, session)
    const whole = Math.min(tokens, session.home.tokens) >= session.tokens.length - 1
    const { serving } = engine.options
    if (session.epoch !== epoch || !whole || serving.mode === "full") return bytes
    // What was never compressed has a prompt to be computed first.
    if (session.compression === undefined) return bytes
    yield* compress(engine, session, true)
    if (!serving.keepsFull) engine.dropFull(session)
    return bytes
  })

/** New full KV to host memory: the rows of a commit that wait to be fetched, or a whole prompt page by page. */
const save = (engine: Engine, session: Session): Effect.Effect<number, DeviceLost> =>
  Effect.gen(function* () {
    const { epoch, home } = session
    const { cache, device } = engine.state
    const still = (): boolean => session.epoch === epoch
    let bytes = 0
    for (let read = session.saving.shift(); read !== undefined; read = session.saving.shift()) {
      const rows = yield* read.collect
      if (!still()) return bytes
      engine.pool.append(home, rows, session.tokens)
      bytes += rows.length
    }
    const { full } = session
    if (bytes === 0 && full !== undefined) {
      const { pageTokens } = engine.shape
      // Each read waits for the pass that is in the queue by then: as many pages as fit a staging buffer go together.
      const atOnce = Math.max(1, Math.floor(CHUNK_BYTES / cache.pageBytes))
      const until = (index: number): number => Math.min((index + 1) * pageTokens, full.end)
      const last = Math.ceil(full.end / pageTokens)
      for (let index = Math.floor(home.tokens / pageTokens); index < last && until(index) > home.tokens;) {
        const pages = full.pages.slice(index, Math.min(last, index + atOnce))
        const offsets = pages.map((page) => page * cache.pageBytes)
        const data = yield* device.read(cache.arena, offsets, cache.pageBytes)
        if (!still()) return bytes
        for (const i of pages.keys()) {
          const page = data.subarray(i * cache.pageBytes, (i + 1) * cache.pageBytes)
          engine.pool.storePage(home, index + i, page, session.tokens, until(index + i))
        }
        index += pages.length
        bytes += data.length
      }
      if (session.fullUntilHome) engine.dropFull(session)
    }
    session.bytesOut += bytes
    return bytes
  })
