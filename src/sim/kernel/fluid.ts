/**
 * Bandwidth that is shared, not queued: flows over resources at max–min fair rates, as in SimGrid. Rates hold from one change
 * (a flow opens, ends, or is capped) to the next, so a transfer costs a few events however many bytes it moves.
 */
import type { Kernel } from "./kernel.ts"
import { type Sharer, shareMaxMin } from "./max-min.ts"

interface Flow extends Sharer {
  readonly id: number
  /** Bytes to move; Infinity for a flow that takes what it gets until it is closed. */
  readonly bytes: number
  readonly done: () => void
  readonly onRate: ((rate: number) => void) | undefined
  cap: number
  moved: number
  /** Rate it was last told. */
  told: number
  /** When its last byte is through at the present rate, ns. */
  end: number
}

const nothing = (): void => {}

export class FluidNetwork {
  readonly #kernel: Kernel
  readonly #reactor: number
  readonly #capacities: number[] = []
  readonly #flows = new Map<number, Flow>()
  /** The same in the order they were opened: what sharing goes over. */
  readonly #order: Flow[] = []
  /** Flows that want to hear of their rate. */
  #listening = 0
  #nextFlow = 0
  /** Time up to which `moved` is counted, ns. */
  #since = 0
  /** The event of the flow that ends next, and that flow. */
  #event = -1
  #next: Flow | undefined

  constructor(kernel: Kernel) {
    this.#kernel = kernel
    this.#reactor = kernel.add({ receive: () => this.#complete() })
  }

  /** Adds a resource of `capacity` bytes/s; its number. */
  resource(capacity: number): number {
    return this.#capacities.push(positive(capacity)) - 1
  }

  /** Changes what a resource has to give from now on, bytes/s; 0 stops all that passes through it. */
  setCapacity(resource: number, capacity: number): void {
    if (this.#capacities[resource] === positive(capacity)) return
    this.#progress()
    this.#capacities[resource] = capacity
    this.#share()
  }

  /**
   * Starts a flow of `bytes` through `resources`, at most `cap` bytes/s; `done` is called in the nanosecond in which the last
   * byte is through. `bytes` may be Infinity: such a flow takes its share until it is closed. `onRate` hears the rate,
   * bytes/s, at once and whenever it changes.
   */
  open(
    resources: readonly number[],
    bytes: number,
    cap: number,
    done: () => void = nothing,
    onRate?: (rate: number) => void
  ): number {
    this.#progress()
    const id = this.#nextFlow++
    const flow: Flow = {
      id,
      resources,
      bytes: positive(bytes),
      cap: positive(cap),
      done,
      onRate,
      rate: 0,
      moved: 0,
      told: -1,
      end: Number.POSITIVE_INFINITY
    }
    this.#flows.set(id, flow)
    this.#order.push(flow)
    if (onRate !== undefined) this.#listening++
    this.#share()
    return id
  }

  /** Changes what a flow can use at most, bytes/s; at 0 it rests and costs the others nothing. */
  setCap(id: number, cap: number): void {
    const flow = this.#flows.get(id)
    if (flow === undefined || flow.cap === positive(cap)) return
    this.#progress()
    flow.cap = cap
    this.#share()
  }

  /** Stops a flow; the bytes it had left. A flow that is gone has none. */
  close(id: number): number {
    const flow = this.#flows.get(id)
    if (flow === undefined) return 0
    this.#progress()
    this.#remove(flow)
    this.#share()
    return flow.bytes - flow.moved
  }

  /** Rate of a flow now, bytes/s; 0 if it is gone. */
  rate(id: number): number {
    return this.#flows.get(id)?.rate ?? 0
  }

  /** Bytes a flow has moved up to now; 0 if it is gone. */
  moved(id: number): number {
    this.#progress()
    return this.#flows.get(id)?.moved ?? 0
  }

  #complete(): void {
    const flow = this.#next!
    this.#event = -1
    this.#next = undefined
    this.#progress()
    this.#remove(flow)
    this.#share()
    flow.done()
  }

  #remove(flow: Flow): void {
    this.#flows.delete(flow.id)
    this.#order.splice(this.#order.indexOf(flow), 1)
    if (flow.onRate !== undefined) this.#listening--
  }

  #progress(): void {
    const { now } = this.#kernel
    if (now === this.#since) return
    const seconds = (now - this.#since) * 1e-9
    this.#since = now
    // A flow whose end was rounded up to a whole nanosecond moves no byte in what is left of it.
    for (const flow of this.#flows.values())
      flow.moved = Math.min(flow.bytes, flow.moved + flow.rate * seconds)
  }

  /** Shares anew, sets the event of the flow that ends next, and tells those whose rate has changed. */
  #share(): void {
    const before = this.#next
    const due = before?.end
    shareMaxMin(this.#capacities, this.#order)
    this.#next = undefined
    for (const flow of this.#order) {
      flow.end = endOf(this.#kernel.now, flow.bytes - flow.moved, flow.rate)
      // Of those that end together the one opened first is first.
      if (flow.end < (this.#next?.end ?? Number.POSITIVE_INFINITY)) this.#next = flow
    }
    if (this.#next !== before || this.#next?.end !== due) this.#schedule()
    if (this.#listening === 0) return
    // A list of their own: whoever is told may open and close flows.
    for (const flow of this.#order.filter(({ onRate }) => onRate !== undefined)) this.#tell(flow)
  }

  #schedule(): void {
    if (this.#event >= 0) this.#kernel.cancel(this.#event)
    this.#event = this.#next === undefined ? -1 : this.#kernel.at(this.#next.end, this.#reactor, 0, 0)
  }

  #tell(flow: Flow): void {
    if (flow.onRate === undefined || flow.rate === flow.told || !this.#flows.has(flow.id)) return
    flow.told = flow.rate
    flow.onRate(flow.rate)
  }
}

/** Part of a nanosecond, of which more than this is rounded up: the sums above are no more exact. */
const SLACK = 1e-6

/** When `bytes` from now on are through. A flow that stands still never ends, unless it has nothing left. */
const endOf = (now: number, bytes: number, rate: number): number =>
  bytes === 0 ? now : Math.max(now, Math.ceil(now + (bytes / rate) * 1e9 - SLACK))

const positive = (value: number): number => {
  if (!(value >= 0)) throw new Error(`a flow of ${value}: bytes and bytes/s are not negative`)
  return value
}
