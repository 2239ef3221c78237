/**
 * The block of experts of a layer profile: measured by the tokens it computes and by how many different experts they choose. Of E
 * experts with k per token, tokens that choose alike and apart from each other activate E·(1 − (1 − k/E)^tokens), which is also
 * what the cost model reads weights by.
 */
import type { LayerGroup } from "../../scenario/resolved.ts"
import { interpolate } from "../../sim/cost/interpolate.ts"

export type Experts = Extract<LayerGroup["mlp"], { readonly kind: "moe" }>

/** One call of the block on one rank; `ranks`: over how many experts were shared out. */
export interface ExpertCall {
  readonly ranks: number
  readonly tokens: number
  readonly activated: number
  readonly seconds: number
}

/** Experts that so many tokens are expected to choose. */
export const activatedBy = ({ experts, expertsPerToken }: Experts, tokens: number): number =>
  experts * (1 - (1 - expertsPerToken / experts) ** tokens)

/** Calls of whole experts, which is what a tensor-parallel rank has: those of groups that share experts out are something else. */
export const wholeExperts = (calls: readonly ExpertCall[]): readonly ExpertCall[] =>
  calls.filter(({ ranks, tokens }) => ranks === 1 && tokens > 0)

/** Seconds of the block by tokens, at the experts they are expected to choose; sizes ascend. */
export const expertTable = (
  calls: readonly ExpertCall[],
  shape: Experts
): { readonly tokens: readonly number[]; readonly seconds: readonly number[] } => {
  const byTokens = [...Map.groupBy(wholeExperts(calls), ({ tokens }) => tokens)].toSorted(([a], [b]) => a - b)
  return {
    tokens: byTokens.map(([tokens]) => tokens),
    seconds: byTokens.map(([tokens, all]) => {
      const measured = all.toSorted((a, b) => a.activated - b.activated)
      return interpolate(
        measured.map(({ activated }) => activated),
        measured.map(({ seconds }) => seconds),
        activatedBy(shape, tokens)
      )
    })
  }
}
