/** What verify passes find: accepted lengths from the acceptance models instead of real logits. */
import type { Iteration, IterationResult, Stepped, VerifyItem } from "../../runtime/ports.ts"
import type { AcceptanceModel } from "../acceptance/acceptance.ts"

export class Judge {
  readonly #compressed: AcceptanceModel | undefined
  readonly #drafter: AcceptanceModel | undefined

  /** Acceptance of tokens drafted on compressed KV, and of a classical drafter's proposals; each only if there are any. */
  constructor(compressed: AcceptanceModel | undefined, drafter: AcceptanceModel | undefined) {
    this.#compressed = compressed
    this.#drafter = drafter
  }

  judge(iteration: Iteration): Pick<IterationResult, "verified" | "stepped"> {
    const { verify, decode, proposals, index } = iteration
    const verified = verify.map((item) => {
      const drafted = proposals > 0 ? this.#proposed(item, proposals) : item.drafted
      const accepted =
        drafted === 0 ? 0 : this.#compressed!.accepted(item.request, item.round, drafted, item.context)
      return {
        request: item.request,
        drafted,
        accepted,
        ...(proposals > 0
          ? { proposals: { proposed: item.steps * proposals, agreed: drafted - item.steps } }
          : {})
      }
    })
    if (proposals === 0) return { verified }
    const stepped: Stepped[] = []
    for (const [request, member] of decode.members) {
      const agreed = this.#drafter!.accepted(request, index + 1, proposals, member.kvTokens)
      stepped.push({ tokens: 1 + agreed, proposed: proposals, agreed })
    }
    return { verified, stepped }
  }

  /** Tokens a round's draft steps yielded, each one plus the proposals the compressed KV agreed with. */
  #proposed(item: VerifyItem, proposals: number): number {
    let drafted = 0
    for (let step = 0; step < item.steps; step++) {
      drafted += 1 + this.#drafter!.accepted(item.request, item.round * 4096 + step, proposals, item.context)
    }
    return drafted
  }
}
