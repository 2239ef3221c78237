import type { Reservation, ReservationRings } from "./rings.ts"

/** What ADMIT has to place. */
export interface Placement {
  /** Draft window wanted, x*, iterations. */
  readonly anchor: number
  /** Link time of the reload, ns, and of one iteration, T_iter; ℓ_r is their quotient. */
  readonly linkNs: number
  readonly iterationNs: number
  /** HBM the reload takes, and what the ring may use in all: HBM − M − KV_resident. Bytes. */
  readonly bytes: number
  readonly freeBytes: number
}

/**
 * ADMIT of arXiv:2605.17613: books the verify iteration d_r for a request, so that its reload of
 * S_r = max(1, ⌈ℓ_r⌉) iterations ends before it. Tries x*, x*+1, x*−1, x*+2, … within [S_r, W−1] and takes the first that
 * fits both rings; the later of two equally near ones first, because a longer window costs the link less per token.
 * Undefined if none fits: the request waits. A reload longer than the horizon books the link for all of it and comes late.
 */
export const admit = (rings: ReservationRings, placement: Placement): Reservation | undefined => {
  const { anchor, linkNs, iterationNs, bytes, freeBytes } = placement
  const last = rings.horizon - 1
  const span = Math.min(last, Math.max(1, Math.ceil(linkNs / iterationNs)))
  if (bytes > freeBytes) return undefined
  const centre = Math.min(Math.max(anchor, span), last)
  const share = Math.min(iterationNs, Math.ceil(linkNs / span))
  const reach = Math.max(centre - span, last - centre)
  const attempt = (window: number): Reservation | undefined => {
    if (window < span || window > last) return undefined
    const due = rings.base + window
    const reservation = { start: due - span, span, due, linkNs: share, bytes }
    return rings.fits(reservation, iterationNs, freeBytes) ? reservation : undefined
  }
  for (let distance = 0; distance <= reach; distance++) {
    const found = attempt(centre + distance) ?? (distance > 0 ? attempt(centre - distance) : undefined)
    if (found === undefined) continue
    rings.book(found)
    return found
  }
  return undefined
}
