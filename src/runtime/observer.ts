/** The eyes of a replica: turns what its scheduler and links do into metrics and, if one is wanted, a trace. */
import type { Outcome } from "../protocol/vocabulary.ts"
import { type Limit, MetricsAccumulator } from "../trace/metrics.ts"
import type { EventArgs, EventKind, Recorder } from "../trace/recorder.ts"
import type { Carried, Order, Path } from "./mail.ts"
import { kindOf, limitArgs, type PassArgs, spans, stepped } from "./pass-args.ts"
import type { Iteration, IterationResult, Proposals, RequestId, Stepped } from "./ports.ts"
import type { Served } from "./served.ts"

/** Told of each request's latencies as they become known, ns; times per output token of those with two tokens and more. */
export type OnLatency = (request: RequestId, latency: "ttft" | "tpot" | "e2el", ns: number) => void

/** What the observer may look up when a pass starts. */
export interface Occupancy {
  readonly hbmBytes: number
  readonly hostBytes: number
  readonly batch: number
  readonly waiting: number
}

interface Tracks {
  readonly gpu: number
  readonly pass: Readonly<Record<"prefill" | "decode" | "draft" | "verify", number>>
  readonly hbmOccupancy: number
  readonly host: number
  readonly hbmBandwidth: number
  readonly links: Readonly<Record<Path, number>>
  readonly scheduler: number
  readonly batch: number
  readonly requests: number
}

export class Observer {
  readonly metrics = new MetricsAccumulator()
  readonly #recorder: Recorder | undefined
  readonly #tracks: Tracks | undefined
  readonly #requestTracks = new Map<number, number>()
  /** Where a request's last reload is drawn, for the arrows to and from it. */
  readonly #reloadEvents = new Map<number, number>()
  /** Made when the first pass with a device's timestamps is told. */
  #deviceTrack: number | undefined
  /** A wall clock does not always say what came first: the order of word and passes is told apart from it. */
  readonly #clock: "virtual" | "wall"
  readonly #onLatency: OnLatency | undefined
  #iteration: Iteration | undefined
  #passStart = 0
  /** Passes begun so far. */
  #begun = 0

  constructor(
    replica: string,
    recorder: Recorder | undefined,
    clock: "virtual" | "wall" = "virtual",
    onLatency?: OnLatency
  ) {
    this.#onLatency = onLatency
    this.#recorder = recorder
    this.#clock = clock
    if (recorder === undefined) return
    const parent = recorder.track({ name: replica, kind: "replica" })
    const gpu = recorder.track({ name: "GPU", kind: "gpu", parent })
    const lane = (name: string): number => recorder.track({ name, kind: "gpu", parent: gpu })
    this.#tracks = {
      gpu,
      pass: {
        prefill: lane("prefill"),
        decode: lane("decode"),
        draft: lane("draft"),
        verify: lane("verify")
      },
      hbmBandwidth: recorder.track({ name: "HBM bandwidth", kind: "hbm-bandwidth", parent, unit: "bytes/s" }),
      hbmOccupancy: recorder.track({ name: "HBM occupancy", kind: "hbm-occupancy", parent, unit: "bytes" }),
      host: recorder.track({ name: "host memory", kind: "host", parent, unit: "bytes" }),
      links: {
        in: recorder.track({ name: "link host → device", kind: "link-h2d", parent }),
        out: recorder.track({ name: "link device → host", kind: "link-d2h", parent }),
        network: recorder.track({ name: "store → device", kind: "network", parent })
      },
      scheduler: recorder.track({ name: "scheduler", kind: "scheduler", parent }),
      batch: recorder.track({ name: "requests in the batch", kind: "scheduler", parent, unit: "requests" }),
      requests: recorder.track({ name: "requests", kind: "requests", parent })
    }
  }

  // --- requests ---

  /** `during`: a pass was under way. */
  arrived(request: Served, now: number, during: boolean): void {
    this.metrics.arrived(request.spec.input)
    this.#instant(request, "arrive", now, this.#order(during))
  }

  queued(request: Served, now: number): void {
    // The first time it has been waiting since it came, though a pass kept the scheduler from looking.
    request.phaseSince = request.phaseSince === request.arrival ? request.arrival : now
  }

  admitted(request: Served, now: number): void {
    this.#phase(request, "queued", now)
    this.#decision("admit", request, now)
  }

  /** A prompt chunk is computed. */
  prefilled(request: Served, tokens: number, now: number): void {
    this.#phase(request, "prefill", now, { tokens })
  }

  firstToken(request: Served, now: number): void {
    request.firstToken = now
    request.lastDelivery = now
    this.metrics.firstToken(now - request.arrival)
    this.#onLatency?.(request.spec.id, "ttft", now - request.arrival)
  }

  /** A request's run of decode steps ended with `tokens` tokens. */
  decoded(request: Served, tokens: number, now: number): void {
    request.lastDelivery = now
    this.#phase(request, "decode", now, { tokens })
  }

  /** Tokens beyond the first reached the client. */
  delivered(request: Served, now: number): void {
    if (request.firstToken !== now) this.metrics.delivered(now - request.lastDelivery)
    request.lastDelivery = now
  }

  /** A step with a classical drafter brought `tokens` tokens, all but one of them proposed. */
  speculated(request: Served, { tokens, ...proposals }: Stepped, now: number): void {
    const { proposed } = proposals
    const accepted = Math.min(proposed, tokens - 1)
    this.metrics.round(proposed, accepted, tokens)
    this.metrics.proposed(proposals)
    this.delivered(request, now)
    this.#phase(request, "decode", now, { tokens, accepted, steps: 1 })
    this.rejected(request, proposed - accepted, now)
  }

  /** Proposed or drafted tokens were thrown away; told where the plan does not say how many there were. */
  rejected(request: Served, tokens: number, now: number): void {
    if (tokens > 0) this.#instant(request, "reject", now, { tokens })
  }

  /** Draft steps of a round that is verified checked a classical drafter's proposals. */
  proposed(proposals: Proposals): void {
    this.metrics.proposed(proposals)
  }

  booked(request: Served, due: number, now: number): void {
    this.#phase(request, "waiting", now)
    this.#decision("reserve", request, now, { tokens: due })
  }

  drafted(request: Served, tokens: number, now: number): void {
    request.draftEvent = this.#phase(request, "draft", now, { tokens, round: request.context.rounds + 1 })
  }

  unstalled(request: Served, now: number): void {
    this.#phase(request, "stalled", now)
  }

  committed(
    request: Served,
    round: { readonly tokens: number; readonly accepted: number; readonly rejected: number },
    now: number
  ): void {
    this.metrics.round(round.accepted + round.rejected, round.accepted, round.tokens)
    if (request.firstToken === undefined) this.firstToken(request, now)
    else this.delivered(request, now)
    const verify = this.#phase(request, "verify", now, {
      tokens: round.tokens,
      accepted: round.accepted,
      round: request.context.rounds
    })
    if (verify !== undefined && this.#recorder !== undefined) {
      const reload = this.#reloadEvents.get(request.spec.id)
      if (reload !== undefined) this.#recorder.flow(reload, verify)
      if (request.draftEvent !== undefined) this.#recorder.flow(request.draftEvent, reload ?? verify)
    }
    this.#reloadEvents.delete(request.spec.id)
    request.draftEvent = undefined
  }

  preempted(request: Served, now: number): void {
    this.metrics.preemptions++
    this.#decision("preempt", request, now)
  }

  fellBack(request: Served, now: number): void {
    this.metrics.fallbacks++
    this.#decision("fallback", request, now)
  }

  ended(request: Served, outcome: Outcome, now: number): void {
    const { committed } = request.context
    const sinceFirst = now - (request.firstToken ?? now)
    this.metrics.ended(outcome, committed, now - request.arrival, sinceFirst)
    if (outcome === "finished" && this.#onLatency !== undefined) {
      this.#onLatency(request.spec.id, "e2el", now - request.arrival)
      if (committed > 1) this.#onLatency(request.spec.id, "tpot", sinceFirst / (committed - 1))
    }
    this.#instant(
      request,
      outcome === "finished"
        ? "finish"
        : outcome === "timed-out"
          ? "timeout"
          : outcome === "failed"
            ? "fault"
            : "cancel",
      now,
      { tokens: committed }
    )
    this.#requestTracks.delete(request.spec.id)
    this.#reloadEvents.delete(request.spec.id)
  }

  // --- passes ---

  passStarts(iteration: Iteration, occupancy: Occupancy, now: number): void {
    this.#iteration = iteration
    this.#passStart = now
    this.#begun++
    this.metrics.gpuStarts(now)
    this.metrics.peak(occupancy.hbmBytes, occupancy.batch, occupancy.waiting)
    if (this.#recorder === undefined || this.#tracks === undefined) return
    this.#recorder.counter(this.#tracks.hbmOccupancy, now, occupancy.hbmBytes)
    this.#recorder.counter(this.#tracks.host, now, occupancy.hostBytes)
    this.#recorder.counter(this.#tracks.batch, now, occupancy.batch)
  }

  /** The passes ended; `decoding` requests got a token in each. */
  passed(result: IterationResult, decoding: number, now: number): void {
    const { steps, seconds, limits, hbmBytes } = result
    this.metrics.gpuIdle("scheduling", now)
    this.metrics.passed(steps, limits, hbmBytes)
    this.metrics.stepped((now - this.#passStart) / steps, decoding, steps)
    if (this.#recorder === undefined || this.#tracks === undefined || this.#iteration === undefined) return
    this.#recorder.counter(this.#tracks.hbmBandwidth, this.#passStart, hbmBytes / seconds)
    const { decode, draft, verify, prefill } = this.#iteration
    const limited = limitArgs(result, (now - this.#passStart) * 1e-9)
    const slice = (kind: "prefill" | "decode" | "draft" | "verify", args: PassArgs): void => {
      if (args.tokens > 0)
        this.#recorder!.slice(this.#tracks!.pass[kind], kind, this.#passStart, now, {
          ...args,
          steps,
          ...limited
        })
    }
    slice("decode", stepped(decode, steps))
    slice("draft", stepped(draft, steps))
    slice("verify", spans(verify.map(({ context, drafted }) => [drafted + 1, context + drafted])))
    slice("prefill", spans(prefill.map(({ tokens, cached }) => [tokens, cached + tokens])))
    if (result.device !== undefined)
      this.#onDevice(this.#recorder, kindOf(this.#iteration), result.device, steps)
  }

  /** Draws passes once more, as the device's own clock saw them. */
  #onDevice(
    recorder: Recorder,
    kind: EventKind,
    { begin, end }: NonNullable<IterationResult["device"]>,
    steps: number
  ): void {
    this.#deviceTrack ??= recorder.track({
      name: "passes, device timestamps",
      kind: "device-clock",
      parent: this.#tracks!.gpu
    })
    recorder.slice(this.#deviceTrack, kind, begin, end, { steps })
  }

  gpuIdle(waitingFor: Limit, now: number): void {
    this.metrics.gpuIdle(waitingFor, now)
    if (this.#recorder !== undefined && this.#tracks !== undefined)
      this.#recorder.counter(this.#tracks.hbmBandwidth, now, 0)
  }

  // --- links ---

  linkStarts(path: Path, now: number): void {
    if (path !== "network") this.metrics.linkStarts(path, now)
  }

  /** A transfer ended, with `moved` bytes if it arrived. It is drawn when its scheduler hears of it. */
  linkEnds({ path, transfer }: Order, now: number, moved: number | undefined): void {
    if (path !== "network") this.metrics.linkEnds(path, now)
    if (moved !== undefined) this.metrics.moved(transfer.kind, moved)
  }

  /** A transfer was stopped by its scheduler, which hears no more of it. */
  stopped(carried: Carried): void {
    this.#transfer(carried)
  }

  /** Word of a transfer reaches its scheduler, during a pass or not: what it decides from here on may rest on it. */
  heard(carried: Carried, during: boolean): void {
    this.#transfer(carried, this.#order(during))
  }

  #transfer({ order: { path, transfer }, start, end, bytes }: Carried, order: EventArgs = {}): void {
    if (this.#recorder === undefined || this.#tracks === undefined) return
    const args = {
      ...order,
      bytes: bytes ?? 0,
      ...(transfer.request < 0 ? {} : { request: transfer.request })
    }
    const event = this.#recorder.slice(
      this.#tracks.links[path],
      bytes === undefined ? "fault" : transfer.kind,
      start,
      end,
      args
    )
    if (transfer.kind === "reload") this.#reloadEvents.set(transfer.request, event)
  }

  /** The device died, with a pass or without: whatever was known of how fast it is may no longer hold. */
  deviceLost(now: number, during: boolean): void {
    if (this.#recorder !== undefined && this.#tracks !== undefined)
      this.#recorder.instant(this.#tracks.scheduler, "fault", now, this.#order(during))
  }

  transferFailed(request: Served | undefined, now: number): void {
    this.metrics.transferFailures++
    if (request !== undefined) this.#decision("retry", request, now)
  }

  // --- the trace ---

  /** What a wall clock does not say of word that reaches the scheduler: how many runs of passes had begun, and whether one was under way. */
  #order(during: boolean): EventArgs {
    return this.#clock === "wall" ? { steps: this.#begun, members: during ? 1 : 0 } : {}
  }

  #track(request: Served): number | undefined {
    if (this.#recorder === undefined || this.#tracks === undefined) return undefined
    const { id } = request.spec
    const known = this.#requestTracks.get(id)
    if (known !== undefined) return known
    const track = this.#recorder.track({
      name: `request ${id}`,
      kind: "request",
      parent: this.#tracks.requests
    })
    this.#requestTracks.set(id, track)
    return track
  }

  /** Closes the phase a request has been in since `phaseSince`. */
  #phase(request: Served, kind: EventKind, now: number, args: EventArgs = {}): number | undefined {
    const since = request.phaseSince
    request.phaseSince = now
    const track = this.#track(request)
    if (track === undefined || now === since) return undefined
    return this.#recorder!.slice(track, kind, since, now, { request: request.spec.id, ...args })
  }

  #instant(request: Served, kind: EventKind, now: number, args: EventArgs = {}): void {
    const track = this.#track(request)
    if (track !== undefined) this.#recorder!.instant(track, kind, now, { request: request.spec.id, ...args })
  }

  #decision(kind: EventKind, request: Served, now: number, args: EventArgs = {}): void {
    if (this.#recorder === undefined || this.#tracks === undefined) return
    this.#recorder.instant(this.#tracks.scheduler, kind, now, { request: request.spec.id, ...args })
  }
}
