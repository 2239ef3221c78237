/**
 * Bandwidth that is shared, not queued: max–min fair rates at flow level, by progressive filling (as in SimGrid). Every
 * flow gets the same rate until a resource it uses is full or its own cap is reached; completions are kernel events.
 */
import type { Kernel } from "./kernel.ts"

interface Flow {
  readonly resources: readonly number[]
  readonly cap: number
  readonly done: () => void
  left: number
  rate: number
  event: number
}

/** Max–min fair rates of flows over shared resources. `uses[f]`: the resources flow f passes through. */
export const maxMinRates = (
  capacities: readonly number[],
  uses: readonly (readonly number[])[],
  caps: readonly number[]
): number[] => {
  const rates = caps.map(() => 0)
  const left = [...capacities]
  let open = caps.map((_, flow) => flow)
  while (open.length > 0) {
    const users = capacities.map((_, r) => open.reduce((n, flow) => n + (uses[flow]!.includes(r) ? 1 : 0), 0))
    let level = Math.min(...open.map((flow) => caps[flow]!))
    users.forEach((n, r) => {
      if (n > 0) level = Math.min(level, left[r]! / n)
    })
    const frozen = open.filter(
      (flow) => caps[flow]! <= level || uses[flow]!.some((r) => left[r]! / users[r]! <= level)
    )
    for (const flow of frozen) rates[flow] = level
    for (const flow of frozen) for (const r of uses[flow]!) left[r] = Math.max(0, left[r]! - level)
    open = open.filter((flow) => !frozen.includes(flow))
  }
  return rates
}

export class FluidNetwork {
  readonly #kernel: Kernel
  readonly #reactor: number
  readonly #capacities: number[] = []
  readonly #flows = new Map<number, Flow>()
  #nextFlow = 0
  #since = 0

  constructor(kernel: Kernel) {
    this.#kernel = kernel
    this.#reactor = kernel.add({ receive: (_code, flow) => this.#complete(flow) })
  }

  /** Adds a resource of `capacity` bytes/s; its number. */
  resource(capacity: number): number {
    return this.#capacities.push(capacity) - 1
  }

  /** Starts a flow of `bytes` > 0 through `resources`, at most `cap` bytes/s; `done` is called when the last byte is through. */
  open(resources: readonly number[], bytes: number, cap: number, done: () => void): number {
    this.#progress()
    const id = this.#nextFlow++
    this.#flows.set(id, { resources, cap, done, left: bytes, rate: 0, event: -1 })
    this.#share()
    return id
  }

  /** Stops a flow; the bytes it had left. A flow that is gone has none. */
  close(id: number): number {
    const flow = this.#flows.get(id)
    if (flow === undefined) return 0
    this.#progress()
    this.#kernel.cancel(flow.event)
    this.#flows.delete(id)
    this.#share()
    return flow.left
  }

  /** Rate of a flow now, bytes/s. */
  rate(id: number): number {
    return this.#flows.get(id)?.rate ?? 0
  }

  #complete(id: number): void {
    const flow = this.#flows.get(id)!
    this.#progress()
    this.#flows.delete(id)
    this.#share()
    flow.done()
  }

  #progress(): void {
    const seconds = (this.#kernel.now - this.#since) * 1e-9
    this.#since = this.#kernel.now
    if (seconds > 0)
      for (const flow of this.#flows.values()) flow.left = Math.max(0, flow.left - flow.rate * seconds)
  }

  #share(): void {
    const flows = [...this.#flows.entries()]
    if (flows.length === 0) return
    const rates = maxMinRates(
      this.#capacities,
      flows.map(([, flow]) => flow.resources),
      flows.map(([, flow]) => flow.cap)
    )
    flows.forEach(([id, flow], i) => {
      if (rates[i] === flow.rate && flow.event >= 0) return
      flow.rate = rates[i]!
      if (flow.event >= 0) this.#kernel.cancel(flow.event)
      flow.event = this.#kernel.at(this.#kernel.now + (flow.left / flow.rate) * 1e9, this.#reactor, 0, id)
    })
  }
}
