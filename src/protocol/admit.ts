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
  /** The last of the reload streams into the verify: its span ends with the verify's iteration, not before it. */
  readonly streams?: boolean
}

/**
 * ADMIT of arXiv:2605.17613: books the verify iteration d_r for a request, so that its reload of
 * S_r = max(1, ⌈ℓ_r⌉) iterations ends before it. Tries x*, x*+1, x*−1, x*+2, … within [S_r, W−1] and takes the first that
 * fits both rings; the later of two equally near ones first, because a longer window costs the link less per token.
 * Undefined if none fits: the request waits. A reload longer than the horizon books the link for all of it and comes late.
 *
 * A request fits where T[i] + ℓ_r/S_r ≤ T_iter over its span and B[i] + KV ≤ HBM − M − KV_resident from the span's start
 * through the verify. One walk over the horizon finds the same iteration as the outward search, in W steps.
 */
export const admit = (rings: ReservationRings, placement: Placement): Reservation | undefined => {
  const { anchor, linkNs, iterationNs, bytes, freeBytes, streams = false } = placement
  const last = rings.horizon - 1
  const span = Math.min(last, Math.max(1, Math.ceil(linkNs / iterationNs)))
  if (bytes > freeBytes) return undefined
  // Iterations from the span's start to the verify.
  const lead = streams ? span - 1 : span
  const least = Math.max(1, lead)
  const centre = Math.min(Math.max(anchor, least), last)
  const share = Math.min(iterationNs, Math.ceil(linkNs / span))
  let found: number | undefined
  // How many iterations on end, up to this one, have room on the link and in HBM.
  let link = 0
  let held = 0
  for (let window = 0; window <= last; window++) {
    if (found !== undefined && window - centre > Math.abs(found - centre)) break
    const iteration = rings.base + window
    held = rings.bytesAt(iteration) + bytes > freeBytes ? 0 : held + 1
    const before = link
    link = rings.linkAt(iteration) + share > iterationNs ? 0 : link + 1
    const fits = window >= least && (streams ? link : before) >= span && held > lead
    if (fits && (found === undefined || Math.abs(window - centre) <= Math.abs(found - centre))) found = window
  }
  if (found === undefined) return undefined
  const due = rings.base + found
  const reservation = { start: due - lead, span, due, linkNs: share, bytes }
  rings.book(reservation, iterationNs, freeBytes)
  return reservation
}
