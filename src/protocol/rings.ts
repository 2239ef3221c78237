/**
 * The two reservation rings of arXiv:2605.17613 (Algorithm ADMIT): link time and streamed-in bytes, per iteration, over the
 * next W iterations. All amounts are integers, so that what is released is exactly what was booked.
 */

/** A booked reload and its verify. Iterations are absolute. */
export interface Reservation {
  /** First iteration whose link window the reload uses. */
  readonly start: number
  /** Iterations the reload spans, S_r; it ends before `due`, or with it where it streams. */
  readonly span: number
  /** Iteration of the verify, d_r. */
  readonly due: number
  /** Link time booked in each of the span's iterations, ns. */
  readonly linkNs: number
  /** Bytes held in HBM from `start` through `due`. */
  readonly bytes: number
}

export class ReservationRings {
  /** Iterations looked ahead, W. */
  readonly horizon: number
  /** The current iteration. */
  base = 0
  readonly #link: Float64Array
  readonly #bytes: Float64Array

  constructor(horizon: number) {
    this.horizon = horizon
    this.#link = new Float64Array(horizon)
    this.#bytes = new Float64Array(horizon)
  }

  /** Link time booked at `iteration`, T[i], ns. */
  linkAt(iteration: number): number {
    return this.#link[iteration % this.horizon]!
  }

  /** Bytes booked at `iteration`, B[i]. */
  bytesAt(iteration: number): number {
    return this.#bytes[iteration % this.horizon]!
  }

  /** Books a reservation; a broken invariant if that over-books T_iter = `iterationNs` or the bytes there are. */
  book(reservation: Reservation, iterationNs: number, freeBytes: number): void {
    this.#add(reservation, 1)
    const { start, span, due } = reservation
    for (let i = start; i < start + span; i++) {
      if (this.linkAt(i) > iterationNs) throw new Error(`the link is over-booked in iteration ${i}`)
    }
    for (let i = start; i <= due; i++) {
      if (this.bytesAt(i) > freeBytes) throw new Error(`HBM is over-booked in iteration ${i}`)
    }
  }

  /** Gives back what of a reservation still lies ahead. */
  release(reservation: Reservation): void {
    this.#add(reservation, -1)
  }

  /** Time moves on; iterations that are past leave their windows empty for the far end. */
  advance(iterations: number): void {
    if (iterations >= this.horizon) {
      this.#link.fill(0)
      this.#bytes.fill(0)
    } else {
      for (let i = this.base; i < this.base + iterations; i++) {
        this.#link[i % this.horizon] = 0
        this.#bytes[i % this.horizon] = 0
      }
    }
    this.base += iterations
  }

  #add({ start, span, due, linkNs, bytes }: Reservation, sign: 1 | -1): void {
    for (let i = Math.max(start, this.base); i < start + span; i++)
      this.#link[i % this.horizon]! += sign * linkNs
    for (let i = Math.max(start, this.base); i <= due; i++) this.#bytes[i % this.horizon]! += sign * bytes
  }
}
