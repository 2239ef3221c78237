/** Runs the scheduler's iterations: gathers rows from requests, submits them, and makes tokens of what comes back. */
import { Effect } from "effect"
import type { DeviceLost, Iteration, PrefillItem, Stepped, Verified } from "../runtime/ports.ts"
import { draftView, fullView } from "./cache/device-cache.ts"
import { compress } from "./compressing.ts"
import type { Engine, Serving } from "./engine.ts"
import { Feed } from "./feed.ts"
import { type Batch, MAX_STEPS, ROW, type Row } from "./model/forward.ts"
import { type ProposedStep, proposing } from "./proposing.ts"
import type { Session } from "./session.ts"
import { settleVerify, trimDrafts, type Verifying, voidVerify } from "./settling.ts"
import { makeRoom, sendHome, submitStreaming } from "./streaming.ts"

/** A row, and what is to be done with the token it yields, if any is wanted. */
export interface Wanted {
  readonly session: Session
  readonly row: Row
  /** The full KV it attends to comes layer by layer, while the pass runs. */
  readonly streams?: boolean
  /** The token counts once the whole run of passes has succeeded. */
  readonly take?: (token: number) => void
  /** Collects the token for a verdict on several rows; whether that counts is for the verdict to say. */
  readonly gather?: (token: number) => void
}

/** What a run of passes came to. */
export interface PassResult {
  readonly steps: number
  readonly verified: readonly Verified[]
  /** Steps that had rows: where every request has drafted all it may, a step has none. */
  readonly computed: number
  /** With proposals: what each decoding request got. */
  readonly stepped?: readonly Stepped[]
}

export class Passes {
  readonly #engine: Engine
  #cut = false
  #computed = 0
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
      const alone = iteration.verify.length + iteration.prefill.length === 0
      this.#computed = 0
      const result =
        !alone || this.#streams === "everything"
          ? yield* this.#mixed(iteration)
          : iteration.proposals > 0
            ? yield* this.#proposedSteps(iteration)
            : { steps: yield* this.#steps(iteration), verified: [] }
      for (const settle of this.#found) settle()
      // Passes of nothing still follow each other in time.
      if (this.#computed === 0) yield* Effect.sleep(1)
      return { ...result, computed: this.#computed }
    }).pipe(
      Effect.ensuring(
        Effect.sync(() => {
          this.#engine.feed.close()
          this.#engine.feed = new Feed()
        })
      )
    )
  }

  get #streams(): Serving["streams"] {
    return this.#engine.options.serving.streams
  }

  /** Decode and draft steps only: many in one submission, tokens staying on the device from step to step. */
  #steps(iteration: Iteration): Effect.Effect<number, DeviceLost> {
    return Effect.gen({ self: this }, function* () {
      let done = 0
      while (done < iteration.steps && (done === 0 || !this.#cut)) {
        const steps = Math.min(iteration.steps - done, MAX_STEPS, this.#untilFull(iteration, done))
        yield* this.#submitAll(this.#stepping(iteration, done, steps), steps)
        done += steps
      }
      return done
    })
  }

  /** Steps that check proposals: one a submission, since the next proposals rest on what this one yields. */
  #proposedSteps(iteration: Iteration): Effect.Effect<Omit<PassResult, "computed">, DeviceLost> {
    return Effect.gen({ self: this }, function* () {
      let done = 0
      let stepped: readonly Stepped[] = []
      while (done < iteration.steps && (done === 0 || !this.#cut)) {
        const proposed = this.#proposing(iteration)
        yield* this.#submitAll(
          proposed.flatMap(({ wanted }) => wanted),
          1
        )
        stepped = this.#settleSteps(iteration, proposed)
        done++
      }
      return { steps: done, verified: [], stepped }
    })
  }

  /** One pass with verifies or prompt chunks in it, in as many submissions as its rows need. */
  #mixed(iteration: Iteration): Effect.Effect<Omit<PassResult, "computed">, DeviceLost> {
    return Effect.gen({ self: this }, function* () {
      const { proposals } = iteration
      const proposed = proposals > 0 ? this.#proposing(iteration) : []
      const wanted = proposals > 0 ? proposed.flatMap((step) => step.wanted) : this.#stepping(iteration, 0, 1)
      trimDrafts(this.#engine, iteration)
      const verifying = iteration.verify.map(({ request }) => this.#verifying(request, wanted))
      for (const item of iteration.prefill) this.#prefilling(item, wanted)
      const streamed = wanted.filter(({ streams }) => streams)
      const rest = wanted.filter(({ streams }) => !streams)
      // What streams passes the layers once; whoever else there is room for goes with it.
      const along = streamed.length === 0 ? [] : rest.splice(0, this.#engine.shape.maxRows - streamed.length)
      const came = streamed.length === 0 || (yield* this.#inLayers(streamed, along))
      const verified: Verified[] = []
      // Their rows are gathered, and the next submission may gather others.
      if (this.#streams === "verifies")
        for (const one of verifying)
          verified.push(came ? yield* this.#commit(one, streamed) : voidVerify(this.#engine, one.session))
      yield* this.#submitAll(rest, 1)
      for (const item of iteration.prefill) yield* this.#prefilled(item)
      if (this.#streams !== "verifies")
        for (const one of verifying) verified.push(yield* this.#commit(one, []))
      return { steps: 1, verified, stepped: this.#settleSteps(iteration, proposed) }
    })
  }

  // --- streaming ---

  /** Submits rows that read full KV as it comes, and others beside them. False if it did not come: those rows count for nothing. */
  #inLayers(streamed: readonly Wanted[], along: readonly Wanted[]): Effect.Effect<boolean, DeviceLost> {
    return Effect.gen({ self: this }, function* () {
      const wanted = [...streamed, ...along]
      makeRoom(this.#engine, streamed)
      const batch = this.#batch(wanted, 1)
      const came = yield* submitStreaming(this.#engine, batch, streamed)
      if (batch.choices.length === 0) yield* this.#engine.state.device.idle
      else yield* this.#readTokens(wanted, batch, ({ streams }) => came || streams !== true)
      if (this.#streams === "everything") yield* sendHome(this.#engine, streamed)
      return came
    })
  }

  // --- rows ---

  /** One row for each request that decodes or drafts, after `done` steps of this run; `steps` tokens will follow. */
  #stepping({ decode, draft }: Iteration, done: number, steps: number): Wanted[] {
    const session = (id: number): Session => this.#engine.session(id)
    return [
      ...Array.from(decode.members.keys(), (id) => this.#decoding(session(id), done, steps)),
      ...Array.from(draft.members.keys(), session)
        .filter((one) => this.#draftsLeft(one, done) > 0)
        .map((one) => this.#drafting(one, done, steps))
    ]
  }

  /** Tokens a request may yet draft in its round, after `done` steps of this run. */
  #draftsLeft(session: Session, done: number): number {
    return this.#engine.mostDrafts(session) - session.drafts.length - done
  }

  /** Steps until the first request of those that draft may draft no more. */
  #untilFull({ draft }: Iteration, done: number): number {
    const left = Array.from(draft.members.keys(), (id) => this.#draftsLeft(this.#engine.session(id), done))
    return Math.min(...left.filter((steps) => steps > 0))
  }

  /** Several rows for each request that decodes or drafts: its newest token's, and one behind each proposed token. */
  #proposing({ decode, draft, proposals }: Iteration): ProposedStep[] {
    return (
      [
        [decode, "full"],
        [draft, "draft"]
      ] as const
    ).flatMap(([{ members }, view]) =>
      Array.from(members.keys(), (id) => proposing(this.#engine, this.#engine.session(id), view, proposals))
    )
  }

  /** Drafts stand at once: if the device dies they are void anyway. Decoded tokens count with the run. */
  #settleSteps({ proposals }: Iteration, steps: readonly ProposedStep[]): readonly Stepped[] {
    for (const step of steps) if (step.view === "draft") step.settle()
    const decoded = steps.filter(({ view }) => view === "full")
    this.#found.push(...decoded.map(({ settle }) => settle))
    return proposals > 0 ? decoded.map(({ stepped }) => stepped()) : []
  }

  /** The newest token's position against full KV; its successor is final. */
  #decoding(session: Session, done: number, steps: number): Wanted {
    const position = session.tokens.length - 1 + done
    const row = { view: fullView(session.place), position, tail: position, flags: ROW.next }
    const take = (token: number): void => this.#produced(session, token)
    if (this.#streams === "everything") return { session, row, take, streams: true }
    if (session.full === undefined || session.full.end < position)
      throw new Error(`request ${session.id} decodes without its full KV`)
    this.#engine.extend(session, "full", position + steps)
    session.full.end = position + steps
    return { session, row, take }
  }

  /** The position behind the last draft, against compressed KV. */
  #drafting(session: Session, done: number, steps: number): Wanted {
    const { mode } = this.#engine.options.serving
    const position = session.tokens.length - 1 + session.drafts.length + done
    this.#engine.extend(session, "draft", position + steps)
    const tail = session.tail!
    return {
      session,
      row: { view: draftView(session.place), position, tail: position - tail.start, flags: ROW.next },
      take: (token) => {
        if (mode === "unverified") this.#produced(session, token)
        else session.drafts.push(token)
      }
    }
  }

  /** The newest token and every draft against full KV: what full KV yields after each. */
  #verifying(request: number, wanted: Wanted[]): Verifying {
    const session = this.#engine.session(request)
    const first = session.tokens.length - 1
    const streams = this.#streams === "verifies"
    const { drafts } = session
    if (!streams) {
      if (session.full === undefined || session.full.end < first)
        throw new Error(`request ${session.id} is verified without its full KV`)
      this.#engine.extend(session, "full", first + drafts.length + 1)
    }
    const chosen: number[] = []
    for (let i = 0; i <= drafts.length; i++) {
      const drafted = i < drafts.length ? ROW.drafted : 0
      wanted.push({
        session,
        streams,
        row: {
          view: fullView(session.place),
          position: first + i,
          tail: first + i,
          flags: ROW.verify | drafted | this.#engine.verifyFlags(session)
        },
        gather: (token) => chosen.push(token)
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
      session.dropDrafts()
    }
    const streams = this.#streams === "everything"
    if (!streams) {
      if (cached > (session.full?.end ?? 0)) throw new Error(`request ${request} lacks KV before ${cached}`)
      this.#engine.extend(session, "full", cached + tokens)
      session.full!.end = cached + tokens
    }
    for (let i = 0; i < tokens; i++) {
      const position = cached + i
      const yields = last && i === tokens - 1
      wanted.push({
        session,
        streams,
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
    return Effect.map(compress(this.#engine, session), () => {
      if (serving.mode === "unverified") this.#engine.dropFull(session)
      else session.fullUntilHome = !serving.keepsFull
    })
  }

  // --- tokens ---

  /** Submits rows in as many submissions as they need. */
  #submitAll(wanted: readonly Wanted[], steps: number): Effect.Effect<void, DeviceLost> {
    const { maxRows } = this.#engine.shape
    return Effect.gen({ self: this }, function* () {
      if (wanted.length > 0) this.#computed += steps
      for (let from = 0; from < wanted.length; from += maxRows)
        yield* this.#submit(wanted.slice(from, from + maxRows), steps)
    })
  }

  /** Submits rows and hands out their tokens, step by step. */
  #submit(wanted: readonly Wanted[], steps: number): Effect.Effect<void, DeviceLost> {
    if (wanted.length === 0) return Effect.void
    const { forward, device } = this.#engine.state
    return Effect.suspend(() => {
      const batch = this.#batch(wanted, steps)
      forward.submit(batch)
      return batch.choices.length === 0 ? device.idle : this.#readTokens(wanted, batch, () => true)
    })
  }

  #batch(wanted: readonly Wanted[], steps: number): Batch {
    const flags = wanted.reduce((all, { row }) => all | row.flags, 0)
    const compression = this.#engine.options.serving.mode === "full" ? undefined : this.#packed(wanted)
    return {
      rows: wanted.map(({ row }) => row),
      choices: wanted.flatMap(({ take, gather }, index) =>
        take === undefined && gather === undefined ? [] : [index]
      ),
      steps,
      entries: Math.max(...wanted.map(({ row }) => row.tail)) + steps + (compression?.most ?? 0),
      rotated: compression?.rotated ?? false,
      observed: (flags & ROW.observed) !== 0,
      queried: (flags & ROW.queries) !== 0
    }
  }

  /** Waits for the tokens of a batch and hands them out to the rows that count. */
  #readTokens(
    wanted: readonly Wanted[],
    { choices, steps }: Batch,
    counts: (one: Wanted) => boolean
  ): Effect.Effect<void, DeviceLost> {
    const { device, forward } = this.#engine.state
    return Effect.map(device.read(forward.out, 0, steps * choices.length * 4), (bytes) => {
      const tokens = new Uint32Array(bytes.buffer)
      for (let step = 0; step < steps; step++)
        for (const [i, index] of choices.entries()) {
          const one = wanted[index]!
          if (!counts(one)) continue
          const token = tokens[step * choices.length + i]!
          one.gather?.(token)
          const { take } = one
          if (take !== undefined) this.#found.push(() => take(token))
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

  /** Keeps what full KV agreed with, once the run has succeeded. */
  #commit(one: Verifying, streamed: readonly Wanted[]): Effect.Effect<Verified, DeviceLost> {
    const gathered = streamed.findIndex(({ session }) => session === one.session)
    return Effect.map(settleVerify(this.#engine, one, gathered), ({ verified, settle }) => {
      this.#found.push(settle)
      return verified
    })
  }
}
