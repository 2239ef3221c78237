/** Moves KV between host memory and the device, for requests one at a time. */
import { Effect } from "effect"
import type { DeviceLost, Transfer } from "../runtime/ports.ts"
import type { Engine } from "./engine.ts"
import type { Session } from "./session.ts"
import type { Piece } from "./webgpu/uploader.ts"

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

/** Full KV from host memory into pages of the device, whole. */
const reload = (engine: Engine, session: Session): Effect.Effect<number, DeviceLost> =>
  Effect.gen(function* () {
    const { epoch, home } = session
    const { cache, uploader } = engine.state
    const still = (): boolean => session.epoch === epoch
    engine.place(session)
    engine.dropFull(session)
    engine.extend(session, "full", home.tokens)
    const pages = session.full!.pages
    const pieces: Piece[] = pages.map((page, index) => ({
      data: engine.pool.page(home, index),
      offset: page * cache.pageBytes
    }))
    yield* uploader.move(cache.arena, pieces, still)
    if (!still()) return 0
    session.full!.end = home.tokens
    const bytes = pages.length * cache.pageBytes
    session.bytesIn += bytes
    return bytes
  })

/** A context that is in host memory: all of it, and where drafts follow at once, its compressed form. */
const fetch = (engine: Engine, session: Session): Effect.Effect<number, DeviceLost> =>
  Effect.gen(function* () {
    const { epoch } = session
    engine.place(session)
    engine.dropDraft(session)
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
      const pageTokens = engine.shape.pageTokens
      for (let index = Math.floor(home.tokens / pageTokens); index < full.pages.length; index++) {
        const until = Math.min((index + 1) * pageTokens, full.end)
        if (until <= home.tokens) break
        const data = yield* device.read(cache.arena, full.pages[index]! * cache.pageBytes, cache.pageBytes)
        if (!still()) return bytes
        engine.pool.storePage(home, index, data, session.tokens, until)
        bytes += data.length
      }
      if (session.fullUntilHome) engine.dropFull(session)
    }
    session.bytesOut += bytes
    return bytes
  })
