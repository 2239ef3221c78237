/**
 * What the reservation rings hold, as far as a trace tells: bytes of reloads that are booked (`reserve`) and not yet there. A reload
 * belongs to the last booking of its request in its replica before it; a booking that no reload followed counts for nothing.
 */
import { rootOf } from "./occupation.ts"
import { EVENT_KINDS } from "./recorder.ts"
import type { TraceColumns } from "./store.ts"

/** Of one replica: `value[i]` bytes from `at[i]` ns on. */
export interface Booked {
  readonly replica: number
  readonly at: Float64Array
  readonly value: Float64Array
}

export const bookedReloads = ({ tracks, slices, instants }: TraceColumns): readonly Booked[] => {
  const bookings = new Map<string, number[]>()
  const keyOf = (track: number, request: number): string => `${rootOf(tracks, track)} ${request}`
  for (let row = 0; row < instants.length; row++) {
    if (EVENT_KINDS[instants.kind[row]!] !== "reserve") continue
    const key = keyOf(instants.track[row]!, instants.request[row]!)
    const own = bookings.get(key)
    if (own === undefined) bookings.set(key, [instants.at[row]!])
    else own.push(instants.at[row]!)
  }
  if (bookings.size === 0) return []
  for (const times of bookings.values()) times.sort((a, b) => a - b)
  const changes = new Map<number, (readonly [at: number, bytes: number])[]>()
  for (let row = 0; row < slices.length; row++) {
    if (EVENT_KINDS[slices.kind[row]!] !== "reload") continue
    const start = slices.start[row]!
    const booked = bookings
      .get(keyOf(slices.track[row]!, slices.request[row]!))
      ?.findLast((at) => at <= start)
    if (booked === undefined) continue
    const replica = rootOf(tracks, slices.track[row]!)
    const own = changes.get(replica) ?? []
    const bytes = slices.bytes[row]!
    own.push([booked, bytes], [slices.end[row]!, -bytes])
    changes.set(replica, own)
  }
  return [...changes].map(([replica, own]) => {
    own.sort((a, b) => a[0] - b[0])
    let sum = 0
    const value = Float64Array.from(own, ([, bytes]) => (sum += bytes))
    return { replica, at: Float64Array.from(own, ([at]) => at), value }
  })
}
