/**
 * Virtual time: a heap of events in the total order (time, sequence), and the clock that the earliest one moves.
 *
 * Times are integer nanoseconds, below 2^53. A cancelled event never moves the clock: it is dropped when it surfaces, or
 * with all others once they are most of the heap. Struct of arrays, no allocation per event.
 */

/** Cancelled events that may lie in the heap before it is worth sweeping. */
const SWEEP = 1024

/** Whoever events are for. */
export interface Reactor {
  readonly receive: (code: number, argument: number) => void
}

export class Kernel {
  #now = 0
  #executed = 0
  readonly #reactors: Reactor[] = []
  // Heap: time, sequence and slot of each entry.
  #time = new Float64Array(256)
  #order = new Float64Array(256)
  #slot = new Int32Array(256)
  #size = 0
  #sequence = 0
  // Slots: what an event is; `#live` holds its sequence number while it is due, −1 afterwards.
  #reactor = new Int32Array(256)
  #code = new Int32Array(256)
  #argument = new Float64Array(256)
  #live = new Float64Array(256)
  #free: number[] = []
  #slots = 0
  #cancelled = 0

  /** Now, ns. */
  get now(): number {
    return this.#now
  }
  /** Events executed so far. */
  get executed(): number {
    return this.#executed
  }
  /** Live events ahead. */
  get pending(): number {
    return this.#size - this.#cancelled
  }

  /** Events there was ever room for at once, cancelled ones included: what memory is held for. */
  get held(): number {
    return this.#slots
  }

  /** Registers a reactor; its number is what `at` wants. */
  add(reactor: Reactor): number {
    return this.#reactors.push(reactor) - 1
  }

  /**
   * Schedules an event; the id cancels it, and answers to no later event in the same slot. `time` in ns, rounded up; throws
   * if that is before now or not below 2^53.
   */
  at(time: number, reactor: number, code: number, argument: number): number {
    const when = Math.ceil(time)
    if (!(when >= this.#now && when <= Number.MAX_SAFE_INTEGER))
      throw new Error(`event at ${time} ns, now ${this.#now}`)
    const slot = this.#free.pop() ?? this.#newSlot()
    const sequence = this.#sequence++
    this.#reactor[slot] = reactor
    this.#code[slot] = code
    this.#argument[slot] = argument
    this.#live[slot] = sequence
    this.#push(when, sequence, slot)
    // A slot number and the low bits of its sequence make an id that a reused slot does not answer to.
    return slot * 2 ** 31 + (sequence % 2 ** 31)
  }

  /** Cancels an event; one that has happened or was cancelled already is left alone. */
  cancel(id: number): void {
    const slot = Math.floor(id / 2 ** 31)
    if (this.#live[slot]! < 0 || this.#live[slot]! % 2 ** 31 !== id % 2 ** 31) return
    this.#live[slot] = -1
    if (++this.#cancelled > SWEEP && this.#cancelled * 2 > this.#size) this.#sweep()
  }

  /** Time of the next event, Infinity if there is none. */
  next(): number {
    this.#dropCancelled()
    return this.#size === 0 ? Number.POSITIVE_INFINITY : this.#time[0]!
  }

  /** Executes the next event; false if there is none. */
  step(): boolean {
    this.#dropCancelled()
    if (this.#size === 0) return false
    this.#now = this.#time[0]!
    const slot = this.#slot[0]!
    this.#pop()
    this.#live[slot] = -1
    this.#free.push(slot)
    this.#executed++
    this.#reactors[this.#reactor[slot]!]!.receive(this.#code[slot]!, this.#argument[slot]!)
    return true
  }

  /** Executes events up to and including time `until`, at most `events` of them; returns how many. */
  run(limit: { readonly until?: number; readonly events?: number } = {}): number {
    const { until = Number.POSITIVE_INFINITY, events = Number.POSITIVE_INFINITY } = limit
    let count = 0
    while (count < events && this.next() <= until && this.step()) count++
    return count
  }

  #dropCancelled(): void {
    while (this.#cancelled > 0 && this.#size > 0 && this.#live[this.#slot[0]!] !== this.#order[0]) {
      this.#free.push(this.#slot[0]!)
      this.#pop()
      this.#cancelled--
    }
  }

  /** Rebuilds the heap without cancelled events; the order of the others is total, so nothing else changes. */
  #sweep(): void {
    const entries = this.#size
    this.#size = 0
    this.#cancelled = 0
    // Entries are taken from the front and put back no further than where they came from.
    for (let i = 0; i < entries; i++) {
      const slot = this.#slot[i]!
      if (this.#live[slot] === this.#order[i]) this.#push(this.#time[i]!, this.#order[i]!, slot)
      else this.#free.push(slot)
    }
  }

  #push(when: number, sequence: number, slot: number): void {
    if (this.#size === this.#time.length) this.#growHeap()
    const time = this.#time
    const order = this.#order
    const slots = this.#slot
    let i = this.#size++
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (time[parent]! < when || (time[parent] === when && order[parent]! < sequence)) break
      time[i] = time[parent]!
      order[i] = order[parent]!
      slots[i] = slots[parent]!
      i = parent
    }
    time[i] = when
    order[i] = sequence
    slots[i] = slot
  }

  #pop(): void {
    const time = this.#time
    const order = this.#order
    const slots = this.#slot
    const n = --this.#size
    const when = time[n]!
    const sequence = order[n]!
    const slot = slots[n]!
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= n) break
      if (
        child + 1 < n &&
        (time[child + 1]! < time[child]! ||
          (time[child + 1] === time[child] && order[child + 1]! < order[child]!))
      )
        child++
      if (time[child]! > when || (when === time[child] && order[child]! > sequence)) break
      time[i] = time[child]!
      order[i] = order[child]!
      slots[i] = slots[child]!
      i = child
    }
    time[i] = when
    order[i] = sequence
    slots[i] = slot
  }

  #newSlot(): number {
    const slot = this.#slots++
    if (slot === this.#live.length) {
      const n = slot * 2
      this.#reactor = copy(this.#reactor, new Int32Array(n))
      this.#code = copy(this.#code, new Int32Array(n))
      this.#argument = copy(this.#argument, new Float64Array(n))
      this.#live = copy(this.#live, new Float64Array(n))
    }
    return slot
  }

  #growHeap(): void {
    const n = this.#size * 2
    this.#time = copy(this.#time, new Float64Array(n))
    this.#order = copy(this.#order, new Float64Array(n))
    this.#slot = copy(this.#slot, new Int32Array(n))
  }
}

const copy = <A extends { readonly set: (from: A) => void }>(from: A, to: A): A => {
  to.set(from)
  return to
}
