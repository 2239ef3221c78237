/** Two traces as one, to be looked at side by side: the tracks of the second after those of the first. Pure. */
import type { TraceColumns } from "./store.ts"

type Column = Float64Array | Uint32Array | Uint8Array | Uint16Array
type Group = Readonly<Record<string, Column | number>> & { readonly length: number }

/**
 * Times of the second are moved by `shift` ns (and what lies before 0 is never cut: the shift is 0 or more for one of them, so give
 * the other's as negative). Ids of tracks and events go on where the first's end.
 */
export const together = (a: TraceColumns, b: TraceColumns, shift: number): TraceColumns => {
  const tracks = a.tracks.length
  const [moveA, moveB] = [Math.max(0, -shift), Math.max(0, shift)]
  const events = { slices: a.slices.length, instants: a.instants.length }
  const id = (event: number): number => event + 2 * (event % 2 === 0 ? events.slices : events.instants)
  const group = <G extends Group>(first: G, second: G, times: readonly string[], ids: readonly string[]): G =>
    Object.fromEntries(
      Object.entries(first).map(([name, column]) => {
        const other = second[name]
        if (typeof column === "number" || typeof other === "number" || other === undefined)
          return [name, first.length + second.length]
        const joined = new (column.constructor as new (length: number) => Column)(
          column.length + other.length
        )
        joined.set(column)
        joined.set(other, column.length)
        if (times.includes(name))
          for (let i = 0; i < joined.length; i++) joined[i]! += i < column.length ? moveA : moveB
        if (name === "track") for (let i = column.length; i < joined.length; i++) joined[i]! += tracks
        if (ids.includes(name)) for (let i = column.length; i < joined.length; i++) joined[i] = id(joined[i]!)
        return [name, joined]
      })
    )
  return {
    meta: a.meta,
    tracks: [
      ...a.tracks,
      ...b.tracks.map(({ parent, ...spec }) => ({
        ...spec,
        ...(parent === undefined ? {} : { parent: parent + tracks })
      }))
    ],
    slices: group(a.slices, b.slices, ["start", "end"], []),
    instants: group(a.instants, b.instants, ["at"], []),
    counters: group(a.counters, b.counters, ["at"], []),
    flows: group(a.flows, b.flows, [], ["from", "to"]),
    dropped: a.dropped + b.dropped
  }
}
