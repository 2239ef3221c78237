/** Moves KV between host memory and the device, for requests one at a time. */
import { Effect } from "effect"
import type { DeviceLost, Transfer } from "../runtime/ports.ts"
import { draftView, fullView } from "./cache/device-cache.ts"
import { lackingRows, packedRows, type Place, tailAsItWas } from "./cache/lacking.ts"
import type { Engine } from "./engine.ts"
import type { Session } from "./session.ts"
import { CHUNK_BYTES, type Piece } from "./webgpu/uploader.ts"

/** Carries a transfer out; the bytes that really moved. */
export const transfer = (engine: Engine, { request, kind }: Transfer): Effect.Effect<number, DeviceLost> => {
  const session = engine.sessions.get(request)
  if (session === undefined) return Effect.succeed(0)
  switch (kind) {
    case "reload":
      return reload(engine, session)
    case "fetch":
      return fetch(engine, session)
    case "save":
      return save(engine, session)
    case "stream":
      return Effect.succeed(0)
  }
}

/** Full KV from host memory into pages of the device, or what the compressed copy there lacks of it. */
const reload = (engine: Engine, session: Session): Effect.Effect<number, DeviceLost> =>
  Effect.gen(function* () {
    const { epoch, home } = session
    const still = (): boolean => session.epoch === epoch
    engine.place(session)
    engine.dropFull(session)
    engine.extend(session, "full", home.tokens)
    const spares = engine.options.serving.reload === "missing" && session.tail !== undefined
    const bytes = yield* (spares ? bringMissing : bringWhole)(engine, session, still)
    yield* engine.state.device.idle
    if (!still()) return 0
    session.full!.end = home.tokens
    session.bytesIn += bytes
    return bytes
  })

/** Carries pages over as they lie. */
const bringWhole = (
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

/** Carries over the rows whose bits the device does not have, and copies the others there. */
const bringMissing = (
  engine: Engine,
  session: Session,
  still: () => boolean
): Effect.Effect<number, DeviceLost> =>
  Effect.gen(function* () {
    const { home } = session
    const compression = session.compression!
    const from = draftView(session.place)
    const view = fullView(session.place)
    const tail = session.tail!
    const spared = tailAsItWas(compression.format) ? Math.min(tail.end, home.tokens) - tail.start : 0
    const moves = Array.from({ length: Math.max(0, spared) }, (_, i) => ({
      fromView: from,
      from: i,
      toView: view,
      to: tail.start + i
    }))
    let bytes = 0
    for (let layer = 0; layer < engine.shape.config.layers && still(); layer++) {
      const { cache, placing } = engine.state
      const rows = lackingRows(compression, layer, { tokens: home.tokens, tailEnd: tail.end })
      const bytesOf = ({ position, head }: Place, side: 0 | 1): Uint8Array =>
        engine.pool.row(home, position, layer, side, head)
      bytes += yield* placing.fromHost(view, layer, rows, bytesOf, still)
      bytes += yield* placing.fromPacked(from, view, layer, packedRows(compression, layer), still)
      if (!still()) return bytes
      cache.copyRows(moves, { from: layer, to: layer + 1 })
    }
    return bytes
  })

/** A context that is in host memory: all of it, and where drafts follow at once, its compressed form. */
const fetch = (engine: Engine, session: Session): Effect.Effect<number, DeviceLost> =>
  Effect.gen(function* () {
    const { epoch } = session
    engine.place(session)
    engine.dropDraft(session)
    // Nothing compressed is left to complete it from.
    const bytes = yield* reload(engine, session)
    const whole = session.home.tokens >= session.tokens.length - 1
    const { serving } = engine.options
    if (session.epoch !== epoch || !whole || serving.mode === "full") return bytes
    yield* engine.compress(session, true)
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
