/** A run beside another in one timeline: the same tracks, each under the name and the basis of its run. Pure. */
import { together } from "../../trace/together.ts"
import { basisOf, type OpenTrace, type TraceView } from "../shell/traces.ts"

/** How far the second run begins after the first on the clock of both, ns; 0 where they share no clock: then both begin at 0. */
export const clockShift = ({ meta: a }: TraceView, { meta: b }: TraceView): number => {
  const shift = Math.round(b.clockOffset - a.clockOffset)
  // Runs hours apart have nothing to show on one axis.
  return a.clock === "wall" && b.clock === "wall" && Math.abs(shift) < HOUR ? shift : 0
}

const HOUR = 3.6e12

export const beside = (a: OpenTrace, b: OpenTrace): TraceView => {
  const joined = together(a.trace, b.trace, clockShift(a.trace, b.trace))
  const first = a.trace.tracks.length
  const tracks = joined.tracks.map((spec, id) =>
    spec.parent === undefined ? { ...spec, name: `${id < first ? "A" : "B"} · ${spec.name}` } : spec
  )
  const bases = tracks.map((_, id) => (id < first ? basisOf(a.trace, id) : basisOf(b.trace, id - first)))
  const names = namesOf(a.trace, b.trace)
  return { ...joined, tracks, bases, ...(names === undefined ? {} : { names }) }
}

/** Names of slices that other tools gave them; of ours, their kinds. */
const namesOf = (a: TraceView, b: TraceView): TraceView["names"] => {
  if (a.names === undefined && b.names === undefined) return undefined
  const table: (string | undefined)[] = [undefined]
  const index = new Uint32Array(a.slices.length + b.slices.length)
  for (const [trace, from] of [
    [a, 0],
    [b, a.slices.length]
  ] as const) {
    if (trace.names === undefined) continue
    const base = table.length
    table.push(...trace.names.table)
    for (let row = 0; row < trace.slices.length; row++) index[from + row] = trace.names.index[row]! + base
  }
  return { table, index }
}
