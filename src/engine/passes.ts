/** Runs the scheduler's iterations: gathers rows from requests, submits them, and makes tokens of what comes back. */
import { Effect } from "effect"
import { matchCommit } from "../protocol/commit.ts"
import type { DeviceLost, Iteration, PrefillItem, Verified, VerifyItem } from "../runtime/ports.ts"
import { draftView, fullView } from "./cache/device-cache.ts"
import type { Engine } from "./engine.ts"
import { MAX_STEPS, ROW, type Row } from "./model/forward.ts"
import type { Session } from "./session.ts"

/** A row, and what is to be done with the token it yields, if any is wanted. */
interface Wanted {
  readonly row: Row
  readonly take?: (token: number) => void
}

/** What a run of passes came to. */
export interface PassResult {
  readonly steps: number
  readonly verified: readonly Verified[]
}

export class Passes {
  readonly #engine: Engine
  #cut = false
  /** What the passes of a run found, in order; it counts once the whole run has succeeded, and never if the device dies. */
  #found: (() => void)[] = []

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** Ends the run in progress after the submission that is under way. */
  cut(): void {
    this.#cut = true
  }

  run(iteration: Iteration): Effect.Effect<PassResult, DeviceLost> {
    return Effect.gen({ self: this }, function* () {
      this.#cut = false
      this.#found = []
      const result =
        iteration.verify.length + iteration.prefill.length === 0
          ? { steps: yield* this.#steps(iteration), verified: [] }
          : { steps: 1, verified: yield* this.#mixed(iteration) }
      for (const settle of this.#found) settle()
      return result
    })
  }

  /** Decode and draft steps only: many in one submission, tokens staying on the device from step to step. */
  #steps(iteration: Iteration): Effect.Effect<number, DeviceLost> {
    return Effect.gen({ self: this }, function* () {
      let done = 0
      while (done < iteration.steps && (done === 0 || !this.#cut)) {
        const steps = Math.min(iteration.steps - done, MAX_STEPS)
        const wanted = this.#stepping(iteration, done, steps)
        const { maxRows } = this.#engine.shape
        for (let from = 0; from < wanted.length; from += maxRows)
          yield* this.#submit(wanted.slice(from, from + maxRows), steps)
        done += steps
      }
      return done
    })
  }

  /** One pass with verifies or prompt chunks in it, in as many submissions as its rows need. */
  #mixed(iteration: Iteration): Effect.Effect<readonly Verified[], DeviceLost> {
    return Effect.gen({ self: this }, function* () {
      const wanted = this.#stepping(iteration, 0, 1)
      const verifying = iteration.verify.map((item) => this.#verifying(item, wanted))
      for (const item of iteration.prefill) this.#prefilling(item, wanted)
      const { maxRows } = this.#engine.shape
      for (let from = 0; from < wanted.length; from += maxRows)
        yield* this.#submit(wanted.slice(from, from + maxRows), 1)
      for (const item of iteration.prefill) yield* this.#prefilled(item)
      const verified: Verified[] = []
      for (const { session, chosen } of verifying) verified.push(yield* this.#commit(session, chosen))
      return verified
    })
  }

  // --- rows ---

  /** One row for each request that decodes or drafts, after `done` steps of this run; `steps` tokens will follow. */
  #stepping({ decode, draft }: Iteration, done: number, steps: number): Wanted[] {
    const session = (id: number): Session => this.#engine.session(id)
    return [
      ...Array.from(decode.members.keys(), (id) => this.#decoding(session(id), done, steps)),
      ...Array.from(draft.members.keys(), (id) => this.#drafting(session(id), done, steps))
    ]
  }

  /** The newest token's position against full KV; its successor is final. */
  #decoding(session: Session, done: number, steps: number): Wanted {
    const position = session.tokens.length - 1 + done
    if (session.full === undefined || session.full.end < position)
      throw new Error(`request ${session.id} decodes without its full KV`)
    this.#engine.extend(session, "full", position + steps)
    session.full.end = position + steps
    return {
      row: { view: fullView(session.place), position, tail: position, flags: ROW.next },
      take: (token) => this.#produced(session, token)
    }
  }

  /** The position behind the last draft, against compressed KV. */
  #drafting(session: Session, done: number, steps: number): Wanted {
    const { mode } = this.#engine.options.serving
    const position = session.tokens.length - 1 + session.drafts.length + done
    this.#engine.extend(session, "draft", position + steps)
    const tail = session.tail!
    return {
      row: { view: draftView(session.place), position, tail: position - tail.start, flags: ROW.next },
      take: (token) => {
        if (mode === "unverified") this.#produced(session, token)
        else session.drafts.push(token)
      }
    }
  }

  /** The newest token and every draft against full KV: what full KV yields after each. */
  #verifying(item: VerifyItem, wanted: Wanted[]): { readonly session: Session; readonly chosen: number[] } {
    const session = this.#engine.session(item.request)
    const first = session.tokens.length - 1
    session.drafts.length = Math.min(session.drafts.length, item.drafted)
    const { drafts } = session
    if (session.full === undefined || session.full.end < first)
      throw new Error(`request ${session.id} is verified without its full KV`)
    this.#engine.extend(session, "full", first + drafts.length + 1)
    const chosen: number[] = []
    for (let i = 0; i <= drafts.length; i++) {
      const drafted = i < drafts.length ? ROW.drafted : 0
      wanted.push({
        row: {
          view: fullView(session.place),
          position: first + i,
          tail: first + i,
          flags: ROW.verify | drafted | this.#engine.verifyFlags(session)
        },
        take: (token) => chosen.push(token)
      })
    }
    return { session, chosen }
  }

  #prefilling({ request, tokens, cached, last }: PrefillItem, wanted: Wanted[]): void {
    const session = this.#engine.session(request)
    this.#engine.place(session)
    if (cached === 0) {
      // From the start: after a preemption, a lost device or a link that was given up nothing here counts.
      this.#engine.dropFull(session)
      this.#engine.dropDraft(session)
      session.drafts = []
    }
    this.#engine.extend(session, "full", cached + tokens)
    session.full!.end = cached + tokens
    for (let i = 0; i < tokens; i++) {
      const position = cached + i
      const yields = last && i === tokens - 1
      wanted.push({
        row: {
          view: fullView(session.place),
          position,
          tail: position,
          flags: this.#engine.promptFlags(session, position) | (yields ? ROW.next : 0)
        },
        ...(yields ? { take: (token: number) => this.#produced(session, token) } : {})
      })
    }
  }

  /** A prompt that is complete is compressed, if drafts are to follow. */
  #prefilled({ request, last }: PrefillItem): Effect.Effect<void, DeviceLost> {
    const { serving } = this.#engine.options
    const session = this.#engine.session(request)
    if (!last || serving.mode === "full") return Effect.void
    return Effect.map(this.#engine.compress(session), () => {
      if (serving.mode === "unverified") this.#engine.dropFull(session)
      else session.fullUntilHome = !serving.keepsFull
    })
  }

  // --- tokens ---

  /** Submits rows and hands out their tokens, step by step. */
  #submit(wanted: readonly Wanted[], steps: number): Effect.Effect<void, DeviceLost> {
    return Effect.gen({ self: this }, function* () {
      if (wanted.length === 0) return
      const { state, options } = this.#engine
      const choices = wanted.flatMap(({ take }, index) => (take === undefined ? [] : [index]))
      const flags = wanted.reduce((all, { row }) => all | row.flags, 0)
      const compression = options.serving.mode === "full" ? undefined : this.#packed(wanted)
      state.forward.submit({
        rows: wanted.map(({ row }) => row),
        choices,
        steps,
        entries: Math.max(...wanted.map(({ row }) => row.tail)) + steps + (compression?.most ?? 0),
        rotated: compression?.rotated ?? false,
        observed: (flags & ROW.observed) !== 0,
        queried: (flags & ROW.queries) !== 0
      })
      if (choices.length === 0) {
        yield* state.device.idle
        return
      }
      const bytes = yield* state.device.read(state.forward.out, 0, steps * choices.length * 4)
      const tokens = new Uint32Array(bytes.buffer)
      for (let step = 0; step < steps; step++)
        for (const [i, index] of choices.entries()) {
          const { take, row } = wanted[index]!
          const token = tokens[step * choices.length + i]!
          // A verify is settled by what its rows chose, before anything counts.
          if ((row.flags & ROW.verify) !== 0) take!(token)
          else this.#found.push(() => take!(token))
        }
    })
  }

  /** Most packed entries of a layer among requests in the batch, and whether any of them is rotated. */
  #packed(wanted: readonly Wanted[]): { readonly most: number; readonly rotated: boolean } {
    let most = 0
    let rotated = false
    const views = new Set(wanted.map(({ row }) => row.view))
    for (const session of this.#engine.sessions.values()) {
      if (session.slot === undefined || session.compression === undefined) continue
      if (!views.has(draftView(session.slot))) continue
      for (const heads of session.compression.kept) most = Math.max(most, heads[0]?.length ?? 0)
      rotated ||= session.compression.format.rotated
    }
    return { most, rotated }
  }

  /** A token is final without a round. */
  #produced(session: Session, token: number): void {
    if (session.stopped || session.produced >= session.prompt.maxTokens) return
    this.#engine.commit(session, [token], 0, [])
  }

  /** Keeps what full KV agreed with, sends the new rows home and into the compressed KV, and drops the rest. */
  #commit(session: Session, chosen: readonly number[]): Effect.Effect<Verified, DeviceLost> {
    return Effect.gen({ self: this }, function* () {
      const { state, options, shape } = this.#engine
      const { drafts } = session
      const left = session.prompt.maxTokens - session.produced
      const commit = matchCommit(drafts, chosen)
      const tokens = this.#engine.untilStop(commit.tokens.slice(0, left))
      const accepted = Math.min(commit.accepted, tokens.length - 1)
      const drafted = Math.min(drafts.length, left - 1)
      const rejected = drafts.slice(accepted)
      const first = session.tokens.length - 1
      const end = first + tokens.length
      // Accepted drafts stand in the token buffer already; the verifier's own token replaces what was drafted there.
      state.device.write(
        state.tokens,
        (session.place * shape.maxTokens + end) * 4,
        Uint32Array.of(tokens.at(-1)!)
      )
      // Rows of the tokens before the newest are exact now: the verifier wrote them.
      session.full!.end = end
      const home = options.serving.keepsFull
        ? []
        : state.cache.startReading(fullView(session.place), first, tokens.length)
      yield* this.#recompress(session, first, end)
      this.#found.push(() => {
        session.saving.push(...home)
        if (!options.serving.keepsFull) this.#engine.dropFull(session)
        session.drafts = []
        session.rounds++
        session.drafted += drafted
        session.accepted += accepted
        this.#engine.commit(session, tokens, accepted, rejected)
      })
      return { request: session.id, drafted, accepted }
    })
  }

  /** New tokens join the compressed KV: by the method anew while the full KV is here, or in the tail. */
  #recompress(session: Session, first: number, end: number): Effect.Effect<void, DeviceLost> {
    if (this.#engine.options.compressor.mode === "online") return this.#engine.compress(session)
    this.#engine.copyToTail(session, first, end)
    return Effect.void
  }
}
