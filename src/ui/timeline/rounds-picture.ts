/** Rounds as shapes, for the canvas and for files alike. Pure. */
import { judgedOf, type Rounds } from "../../trace/rounds.ts"
import type { Cycles } from "./cycles.ts"

/** What a shape stands for. */
export type Part =
  | "draft"
  | "reload"
  | "late reload"
  | "wait"
  | "verify"
  | "accepted"
  | "corrected"
  | "rejected"

/** A rectangle: position in ns on the shared axis, height as shares of the line. */
export interface Shape {
  readonly part: Part
  readonly from: number
  readonly to: number
  readonly top: number
  readonly bottom: number
}

/** The draft and the verification above, the reload below; what a verification judged along its lower edge. */
export const shapesOf = (rounds: Rounds, { places, zero }: Cycles, line: number): readonly Shape[] => {
  const place = places[line]!
  const at = (column: Float64Array): number => column[place]! - zero[line]!
  const [draft, drafted] = [at(rounds.draftStart), at(rounds.draftEnd)]
  const [reload, reloaded] = [at(rounds.reloadStart), at(rounds.reloadEnd)]
  const [verify, verified] = [at(rounds.verifyStart), at(rounds.verifyEnd)]
  const { accepted, corrected, rejected } = judgedOf(rounds, place)
  const total = Math.max(1, accepted + corrected + rejected)
  const share = (tokens: number): number => verify + ((verified - verify) * tokens) / total
  const shapes: readonly Shape[] = [
    { part: "wait", from: drafted, to: verify, top: 0.2, bottom: 0.35 },
    { part: "draft", from: draft, to: drafted, top: 0, bottom: 0.55 },
    { part: "reload", from: reload, to: Math.min(reloaded, drafted), top: 0.6, bottom: 1 },
    { part: "late reload", from: Math.max(reload, drafted), to: reloaded, top: 0.6, bottom: 1 },
    { part: "verify", from: verify, to: verified, top: 0, bottom: 0.55 },
    { part: "accepted", from: verify, to: share(accepted), top: 0.6, bottom: 1 },
    { part: "corrected", from: share(accepted), to: share(accepted + corrected), top: 0.6, bottom: 1 },
    { part: "rejected", from: share(accepted + corrected), to: verified, top: 0.6, bottom: 1 }
  ]
  // A part that is not there has no time, and NaN is below nothing.
  return shapes.filter(({ from, to }) => to > from)
}
