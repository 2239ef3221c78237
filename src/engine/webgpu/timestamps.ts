/**
 * Begin and end of passes by the device's own clock (timestamp-query), on the time axis of the run. Adapters' clocks differ in
 * grain, rate and honesty, so they are tried first, and there is a rule for what is usable.
 */
import { Clock, Effect } from "effect"
import type { DeviceLost } from "../../runtime/ports.ts"
import type { PassTimes } from "../../trace/store.ts"
import source from "./busy.wgsl?raw"
import type { Device } from "./device.ts"
import { USAGE } from "./usage.ts"

/** ns on the clock of the run. */
export interface Stamp {
  readonly begin: number
  readonly end: number
}

/** A pass as both clocks saw it: handed over and known to be done by the host's, begun and ended by the device's; ns. */
export interface Sighting extends Stamp {
  readonly sent: number
  readonly done: number
}

/** Browsers round timestamps to so much, ns; two clocks that differ by less agree. */
const GRAIN = 100_000
const SIGHTINGS = 5

/** What to add to the device's clock to get the host's, or why nothing fits. */
export type Alignment =
  | { readonly usable: true; readonly offset: number }
  | { readonly usable: false; readonly reason: string }

/**
 * The rule: timestamps are usable if every pass tried ends after it begins, lasts no longer than the host waited for it, and
 * one offset puts them all between being handed over and being done, give or take the grain browsers round to.
 */
export const align = (sightings: readonly Sighting[]): Alignment => {
  let least = Number.NEGATIVE_INFINITY
  let most = Number.POSITIVE_INFINITY
  for (const { sent, done, begin, end } of sightings) {
    if (!(end > begin)) return refused("a pass that kept the device busy took no time by its own clock")
    if (end - begin > done - sent + GRAIN)
      return refused("a pass took longer by the device's clock than the host waited for it")
    least = Math.max(least, sent - begin)
    most = Math.min(most, done - end)
  }
  if (!(least <= most + GRAIN)) return refused("the device's clock does not run at the rate of the host's")
  return { usable: true, offset: (least + most) / 2 }
}

const refused = (reason: string): Alignment => ({ usable: false, reason })

/** Stamps of one device: the begin of the first pass since they were last taken, and the end of the last. */
export class Timestamps {
  readonly #device: Device
  readonly #set: GPUQuerySet
  readonly #resolved: GPUBuffer
  #begun = false
  #alignment: Alignment | undefined

  private constructor(device: Device) {
    this.#device = device
    this.#set = device.raw.createQuerySet({ type: "timestamp", count: 2 })
    this.#resolved = device.buffer("timestamps", 16, USAGE.queryResolve | USAGE.copySource)
  }

  /** Undefined where the device has no such clock. */
  static of(device: Device): Timestamps | undefined {
    return device.raw.features.has("timestamp-query") ? new Timestamps(device) : undefined
  }

  /** What a pass that is begun now writes. */
  writes(): GPUComputePassTimestampWrites {
    const first = !this.#begun
    this.#begun = true
    return {
      querySet: this.#set,
      ...(first ? { beginningOfPassWriteIndex: 0 } : {}),
      endOfPassWriteIndex: 1
    }
  }

  /** Tries the clock against the host's, `now` in ns, once. */
  align(now: () => number): Effect.Effect<Alignment, DeviceLost> {
    return Effect.gen({ self: this }, function* () {
      if (this.#alignment !== undefined) return this.#alignment
      const { raw } = this.#device
      const results = this.#device.buffer("busy", 256)
      const { pipeline, group } = this.#device.bind({ name: "busy", source, constants: {} }, [results])
      const sightings: Sighting[] = []
      // The first compiles.
      for (let i = 0; i <= SIGHTINGS; i++) {
        const sent = now()
        const encoder = raw.createCommandEncoder()
        const pass = encoder.beginComputePass({ timestampWrites: this.writes() })
        pass.setPipeline(pipeline)
        pass.setBindGroup(0, group)
        pass.dispatchWorkgroups(1)
        pass.end()
        raw.queue.submit([encoder.finish()])
        yield* this.#device.idle
        const done = now()
        const stamp = yield* this.#read
        if (i > 0) sightings.push({ sent, done, ...stamp })
      }
      this.#device.destroy(results)
      this.#alignment = align(sightings)
      return this.#alignment
    })
  }

  /**
   * Begin and end of the passes since the last call, on the run's clock, held within `from` and `to`, ns: what the host saw of
   * them. Undefined if there were none, or what the device says lies elsewhere.
   */
  take(from: number, to: number): Effect.Effect<Stamp | undefined, DeviceLost> {
    return Effect.gen({ self: this }, function* () {
      const alignment = this.#alignment
      if (!this.#begun || alignment?.usable !== true) return undefined
      const stamp = yield* this.#read
      const begin = Math.round(stamp.begin + alignment.offset)
      const end = Math.round(stamp.end + alignment.offset)
      if (!(end > begin && begin >= from - GRAIN && end <= to + GRAIN)) return undefined
      return { begin: Math.max(from, begin), end: Math.min(to, end) }
    })
  }

  close(): void {
    this.#set.destroy()
    this.#device.destroy(this.#resolved)
  }

  /** ns of the device's clock. */
  get #read(): Effect.Effect<Stamp, DeviceLost> {
    return Effect.suspend(() => {
      this.#begun = false
      const encoder = this.#device.raw.createCommandEncoder()
      encoder.resolveQuerySet(this.#set, 0, 2, this.#resolved, 0)
      this.#device.raw.queue.submit([encoder.finish()])
      return this.#device.read(this.#resolved, 0, 16)
    }).pipe(
      Effect.map((bytes) => {
        const [begin, end] = new BigUint64Array(bytes.buffer)
        return { begin: Number(begin), end: Number(end) }
      })
    )
  }
}

/** Whether a device's timestamps are usable, by the rule. */
export const checkTimestamps = (device: Device): Effect.Effect<Alignment, DeviceLost> =>
  Effect.gen(function* () {
    const stamps = Timestamps.of(device)
    if (stamps === undefined) return refused("the adapter has none")
    const clock = yield* Clock.Clock
    const start = clock.currentTimeNanosUnsafe()
    const now = (): number => Number(clock.currentTimeNanosUnsafe() - start)
    return yield* Effect.ensuring(
      stamps.align(now),
      Effect.sync(() => stamps.close())
    )
  })

/** Whose clocks time the passes of a run on this device, for the head of its trace. */
export const passTimesOf = ({ usable }: Alignment): PassTimes => (usable ? "host and device" : "host")

/** The same in a sentence. */
export const describePassTimes = (alignment: Alignment): string =>
  alignment.usable
    ? "host's clock, and device timestamps beside it"
    : `host's clock; no device timestamps: ${alignment.reason}`
