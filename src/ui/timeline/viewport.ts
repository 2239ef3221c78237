/** The stretch of time on the screen, and how it moves. Nanoseconds and CSS pixels. */

export interface Viewport {
  readonly from: number
  readonly to: number
}

/** Nothing is told apart below a nanosecond; ten of them fill the width at most. */
const SHORTEST = 10

/** The same stretch moved into the run and no longer than it. */
export const clamped = ({ from, to }: Viewport, run: Viewport): Viewport => {
  const whole = Math.max(SHORTEST, run.to - run.from)
  const length = Math.min(whole, Math.max(SHORTEST, to - from))
  const begin = Math.min(Math.max(from, run.from), run.from + whole - length)
  return { from: begin, to: begin + length }
}

/** Longer (`factor` above 1) or shorter, the instant under `at` (0 = left edge, 1 = right) staying where it is. */
export const zoomed = ({ from, to }: Viewport, factor: number, at: number, run: Viewport): Viewport => {
  const length = Math.min(run.to - run.from, Math.max(SHORTEST, (to - from) * factor))
  const begin = from + (to - from - length) * at
  return clamped({ from: begin, to: begin + length }, run)
}

/** Moved by a share of its length. */
export const panned = ({ from, to }: Viewport, share: number, run: Viewport): Viewport =>
  clamped({ from: from + (to - from) * share, to: to + (to - from) * share }, run)

/** As it stands in the address: whole nanoseconds. */
export const spelled = ({ from, to }: Viewport): string => `${Math.round(from)}-${Math.round(to)}`

/** What an address says; undefined where it says nothing or nonsense. */
export const parsed = (text: string | undefined): Viewport | undefined => {
  const [, from, to] = /^(\d{1,16})-(\d{1,16})$/.exec(text ?? "") ?? []
  const view = { from: Number(from), to: Number(to) }
  return view.to > view.from ? view : undefined
}
