import { firstFrom, type Lane } from "./pyramid.ts"

/** Nanoseconds of a stretch that parts cover; parts ascend and do not overlap. */
export const covered = (parts: Lane, from: number, to: number): number => {
  const { start, end } = parts
  let sum = 0
  for (let part = firstFrom(end, from); part < start.length && start[part]! < to; part++)
    sum += Math.min(to, end[part]!) - Math.max(from, start[part]!)
  return sum
}
