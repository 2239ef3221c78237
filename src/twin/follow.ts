/**
 * A twin that runs beside a machine: it hears what the machine records, compares each pass and transfer with the model, and keeps
 * the model's state as the machine is now, so that questions about the live machine can be asked of the simulator.
 */
import { emptyLoad, type PassLoad } from "../sim/cost/load.ts"
import type { Hardware, Method, Scenario } from "../scenario/resolved.ts"
import type { EventArgs, EventKind, Recorder, TrackSpec } from "../trace/recorder.ts"
import { Drift, type Shift, type Standing } from "./drift.ts"
import { goesBefore, type Span, waitOf } from "./link-fit.ts"
import { passFacts, passPrice } from "./pass-price.ts"
import { addLane } from "./passes.ts"

/** The parts of a machine that are followed apart. */
export const PARTS = ["passes", "host to device", "device to host"] as const
export type Part = (typeof PARTS)[number]

export type Factors = Readonly<Record<Part, number>>

export interface PartShift extends Shift {
  readonly part: Part
}

interface PassUnderWay {
  readonly start: number
  readonly end: number
  readonly steps: number
  readonly load: PassLoad
}

/** No transfer is taken to be faster, seconds. */
const LEAST_TIME = 1e-5
/** Share of a transfer below which what is left of it besides its wait for a pass is not known: the host hears of both about then. */
const RESOLUTION = 0.05

interface Moved extends Span {
  readonly into: boolean
  readonly bytes: number
}

/** Hears a run of one method on one replica; tells `onShift` when a part of the machine takes another level. */
export class Follower {
  readonly #scenario: Scenario
  readonly #onShift: (shift: PartShift) => void
  readonly #facts: ReturnType<typeof passFacts>
  readonly #price: ReturnType<typeof passPrice> | undefined
  readonly #drifts: Record<Part, Drift> = {
    passes: new Drift(),
    "host to device": new Drift(),
    "device to host": new Drift()
  }
  readonly #tracks: TrackSpec[] = []
  #pass: PassUnderWay | undefined
  /** When the last two passes heard of began and ended. */
  readonly #ended: Span[] = []
  /** Transfers that may have waited for a pass that has not been heard of: a pass is told when it ends. */
  #moved: readonly Moved[] = []

  constructor(scenario: Scenario, method: Method, onShift: (shift: PartShift) => void) {
    this.#scenario = scenario
    this.#onShift = onShift
    this.#facts = passFacts(scenario, method)
    // Passes over offloaded KV wait for the link: they say nothing of the GPU.
    this.#price = method.kind === "offloaded" ? undefined : passPrice(scenario, method, scenario.hardware)
  }

  /** A recorder that tells `inner` everything, and this twin what it follows. Tracks are numbered as `inner` numbers them. */
  hearing(inner: Recorder): Recorder {
    return {
      track: (spec) => {
        const id = inner.track(spec)
        if (id >= 0) this.#tracks[id] = spec
        return id
      },
      slice: (track, kind, start, end, args) => {
        this.#slice(track, kind, start, end, args)
        return inner.slice(track, kind, start, end, args)
      },
      instant: (track, kind, at, args) => {
        if (kind === "fault" && this.#tracks[track]?.kind === "scheduler") this.#deviceLost()
        return inner.instant(track, kind, at, args)
      },
      counter: (track, at, value) => inner.counter(track, at, value),
      flow: (from, to) => inner.flow(from, to)
    }
  }

  standing(part: Part): Standing {
    return this.#drifts[part].standing
  }

  /** Measured over predicted time of each part of late. */
  get factors(): Factors {
    return {
      passes: this.#drifts.passes.factor,
      "host to device": this.#drifts["host to device"].factor,
      "device to host": this.#drifts["device to host"].factor
    }
  }

  /** The scenario on the machine as it is now. */
  get live(): Scenario {
    return { ...this.#scenario, hardware: slowed(this.#scenario.hardware, this.factors) }
  }

  /** A new device may be another machine: what is known of the old one is no prediction of it. */
  #deviceLost(): void {
    this.#pass = undefined
    this.#moved = []
    for (const part of PARTS) this.#drifts[part] = new Drift()
  }

  #slice(track: number, kind: EventKind, start: number, end: number, args: EventArgs = {}): void {
    const { steps = 0, tokens = 0, members = 0, kvTokens = 0, bytes = 0 } = args
    const on = this.#tracks[track]?.kind
    if (on === "gpu" && steps > 0) {
      if (this.#pass?.start !== start) {
        this.#passEnded()
        this.#ended.push({ start, end })
        if (this.#ended.length > 2) this.#ended.shift()
        for (const moved of this.#moved) this.#transferred(moved)
        this.#moved = []
      }
      this.#pass ??= { start, end, steps, load: emptyLoad() }
      addLane(this.#pass.load, kind, { steps, tokens, members, kvTokens }, this.#facts)
    } else if ((on === "link-h2d" || on === "link-d2h") && bytes > 0 && kind !== "fault" && end > start) {
      const moved = { start, end, bytes, into: on === "link-h2d" }
      if (this.#scenario.hardware.oneQueue === undefined) this.#transferred(moved)
      else this.#moved = [...this.#moved, moved]
    }
  }

  #transferred({ start, end, into, bytes }: Moved): void {
    const { engine, hardware } = this.#scenario
    const { link, oneQueue } = hardware
    const rate = (into ? link.hostToDevice : link.deviceToHost) * engine.tensorParallelSize
    const before =
      oneQueue === undefined
        ? undefined
        : this.#ended.findLast((pass) => goesBefore(pass, { start, end }, into))
    const seconds = (end - start) * 1e-9
    const own = Math.max(LEAST_TIME, seconds - waitOf({ start, end }, before))
    const predicted = (into ? link.latency : (link.deviceToHostLatency ?? link.latency)) + bytes / rate
    // Of a transfer that only waited no more is known than that it was not slower than this.
    const least = before === undefined ? own : Math.max(own, Math.min(predicted, RESOLUTION * seconds))
    this.#observe(into ? "host to device" : "device to host", end, least, predicted)
  }

  /** All lanes of a pass are told before the first of the next. */
  #passEnded(): void {
    const pass = this.#pass
    this.#pass = undefined
    if (pass === undefined || this.#price === undefined || pass.end === pass.start) return
    const seconds = ((pass.end - pass.start) * 1e-9) / pass.steps
    const predicted = this.#price({ ...pass, seconds, transferring: 0, streamed: 0 })
    this.#observe("passes", pass.end, seconds, predicted)
  }

  #observe(part: Part, at: number, measured: number, predicted: number): void {
    const shift = this.#drifts[part].observe(at, measured, predicted)
    if (shift !== undefined) this.#onShift({ part, ...shift })
  }
}

/** Shares beyond this are held there: no machine is faster than its peaks. */
const MOST_SHARE = 0.99

/** Hardware whose passes and transfers take so many times as long. */
export const slowed = (hardware: Hardware, factors: Factors): Hardware => {
  const { passes } = factors
  const { efficiency, link, tables } = hardware
  const share = (one: Hardware["efficiency"]["matmul"]): Hardware["efficiency"]["matmul"] => ({
    memory: Math.min(MOST_SHARE, one.memory / passes),
    compute: Math.min(MOST_SHARE, one.compute / passes),
    overhead: one.overhead * passes,
    ...(one.perBlock === undefined ? {} : { perBlock: one.perBlock * passes }),
    ...(one.perToken === undefined ? {} : { perToken: one.perToken * passes })
  })
  return {
    ...hardware,
    stepOverhead: hardware.stepOverhead * passes,
    stepOverheadPerRequest: hardware.stepOverheadPerRequest * passes,
    ...(hardware.compressionPerEntry === undefined
      ? {}
      : { compressionPerEntry: hardware.compressionPerEntry * passes }),
    ...(hardware.oneQueue === undefined
      ? {}
      : { oneQueue: { ...hardware.oneQueue, submission: hardware.oneQueue.submission * passes } }),
    link: {
      ...link,
      hostToDevice: link.hostToDevice / factors["host to device"],
      deviceToHost: link.deviceToHost / factors["device to host"],
      latency: link.latency * factors["host to device"],
      deviceToHostLatency: (link.deviceToHostLatency ?? link.latency) * factors["device to host"]
    },
    efficiency: {
      matmul: share(efficiency.matmul),
      "attention-decode": share(efficiency["attention-decode"]),
      "attention-prefill": share(efficiency["attention-prefill"]),
      elementwise: share(efficiency.elementwise),
      "lm-head": share(efficiency["lm-head"])
    },
    ...(tables === undefined ? {} : { tables: slowedTables(tables, passes) })
  }
}

type Times = number | readonly Times[]

const times = <A extends Times>(values: A, factor: number): A =>
  (typeof values === "number" ? values * factor : values.map((one) => times(one, factor))) as A

const slowedTables = (
  tables: NonNullable<Hardware["tables"]>,
  factor: number
): NonNullable<Hardware["tables"]> => {
  const { origin, ...grids } = tables
  return {
    origin,
    ...Object.fromEntries(
      Object.entries(grids).map(([name, grid]) => [name, { ...grid, seconds: times(grid.seconds, factor) }])
    )
  }
}
