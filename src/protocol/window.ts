/**
 * Draft windows that follow a request's own acceptance (the paper keeps one window per workload and names this as missing).
 */

/** What a request's rounds have shown of its acceptance: agreements and refusals among the tokens that were compared. */
export interface AcceptanceHistory {
  readonly agreed: number
  readonly refused: number
}

/** A round compares its accepted tokens and, if it was not accepted whole, the one that was refused. */
export const observeRound = (
  history: AcceptanceHistory,
  drafted: number,
  accepted: number
): AcceptanceHistory => ({
  agreed: history.agreed + accepted,
  refused: history.refused + (accepted < drafted ? 1 : 0)
})

/** The probability that a drafted token agrees: posterior mean of the geometric's α under the Beta(prior) it starts with. */
export const estimateAlpha = (history: AcceptanceHistory): number =>
  history.agreed / (history.agreed + history.refused)

/** The history a request starts with: as if `weight` tokens had been compared at acceptance `alpha`. */
export const priorHistory = (alpha: number, weight: number): AcceptanceHistory => ({
  agreed: alpha * weight,
  refused: Math.max(1e-9, (1 - alpha) * weight)
})

/** E[tokens a round commits] = α(1−α^x)/(1−α) + 1 for i.i.d. agreement α and window x. */
export const expectedCommitted = (alpha: number, window: number): number =>
  alpha >= 1 ? window + 1 : (alpha * (1 - alpha ** window)) / (1 - alpha) + 1

/**
 * The window in [min, max] that commits most per unit of time, if a draft step costs 1 and the rest of a round `roundCost`
 * draft steps. Committed tokens are concave in x and time is linear, so the rate has one peak: bisect on its slope.
 */
export const bestWindow = (alpha: number, roundCost: number, min: number, max: number): number => {
  const rate = (window: number): number => expectedCommitted(alpha, window) / (window + roundCost)
  let low = min
  let high = max
  while (low < high) {
    const middle = (low + high) >> 1
    if (rate(middle) < rate(middle + 1)) low = middle + 1
    else high = middle
  }
  return low
}
