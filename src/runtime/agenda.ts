/**
 * What is due at which iteration: a heap on (iteration, order of entry). A pass may repeat unattended until the next entry.
 *
 * An entry dies with the epoch of its request: whoever ends a request's activity raises `epoch` and never has to search here.
 */

/** `finish`, `cancel`: output complete or given up; `drafted`: window full; `reload`: the first reserved link window opens. */
export type Due = "finish" | "cancel" | "drafted" | "reload"

interface Entry<R> {
  readonly at: number
  readonly order: number
  readonly epoch: number
  readonly kind: Due
  readonly request: R
}

const before = <R>(a: Entry<R>, b: Entry<R>): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)

export class Agenda<R extends { readonly epoch: number }> {
  readonly #heap: Entry<R>[] = []
  #order = 0

  /** Notes that `kind` is due for `request` once iteration `at` is about to begin. */
  push(at: number, kind: Due, request: R): void {
    const heap = this.#heap
    const entry = { at, order: this.#order++, epoch: request.epoch, kind, request }
    let i = heap.length
    heap.push(entry)
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (before(heap[parent]!, entry)) break
      heap[i] = heap[parent]!
      i = parent
    }
    heap[i] = entry
  }

  /** Iteration of the next live entry, Infinity if there is none. */
  next(): number {
    while (this.#heap.length > 0 && this.#heap[0]!.epoch !== this.#heap[0]!.request.epoch) this.#removeTop()
    return this.#heap[0]?.at ?? Number.POSITIVE_INFINITY
  }

  /** Takes the next live entry due at or before `iteration`. */
  pop(iteration: number): { readonly kind: Due; readonly request: R } | undefined {
    if (this.next() > iteration) return undefined
    const top = this.#heap[0]!
    this.#removeTop()
    return top
  }

  #removeTop(): void {
    const heap = this.#heap
    const last = heap.pop()!
    const n = heap.length
    if (n === 0) return
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= n) break
      if (child + 1 < n && before(heap[child + 1]!, heap[child]!)) child++
      if (!before(heap[child]!, last)) break
      heap[i] = heap[child]!
      i = child
    }
    heap[i] = last
  }
}
