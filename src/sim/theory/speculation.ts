/** Speculative decoding in closed form: tokens per round, and MagicDec's speed-up (arXiv:2408.11049). */

/** Ω = E[tokens a round commits] = (1 − α^{k+1})/(1 − α), for k drafts of i.i.d. agreement α: accepted ones and the verifier's own. */
export const committedPerRound = (alpha: number, drafts: number): number =>
  alpha >= 1 ? drafts + 1 : (1 - alpha ** (drafts + 1)) / (1 - alpha)

/** Seconds of the three kinds of pass of one batch. */
export interface PassTimes {
  /** T_T: one token with the target. */
  readonly target: number
  /** T_D: one token with the drafter. */
  readonly draft: number
  /** T_V(k): the target over k + 1 positions. */
  readonly verify: (drafts: number) => number
}

/** T_T/T_SD with T_SD/T_T = (1/Ω)·(k·T_D/T_T + T_V(k)/T_T). MagicDec's speed-up of k drafts a round. */
export const speculationSpeedup = (alpha: number, drafts: number, times: PassTimes): number =>
  (committedPerRound(alpha, drafts) * times.target) / (drafts * times.draft + times.verify(drafts))

/** The number of drafts in 1…max with the largest speed-up. */
export const bestDrafts = (
  alpha: number,
  times: PassTimes,
  max: number
): { readonly drafts: number; readonly speedup: number } => {
  let best = { drafts: 1, speedup: 0 }
  for (let drafts = 1; drafts <= max; drafts++) {
    const speedup = speculationSpeedup(alpha, drafts, times)
    if (speedup > best.speedup) best = { drafts, speedup }
  }
  return best
}
