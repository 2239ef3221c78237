/**
 * A step of several positions: the newest token's, and one behind each token that an n-gram drafter proposes. What the rows
 * yield as far as proposals agree with it is what so many steps of one position would have yielded.
 */
import { matchCommit } from "../protocol/commit.ts"
import { proposeNgram } from "../protocol/ngram.ts"
import type { Stepped } from "../runtime/ports.ts"
import { draftView, fullView } from "./cache/device-cache.ts"
import type { Engine } from "./engine.ts"
import type { Wanted } from "./passes.ts"
import type { Session } from "./session.ts"

export interface ProposedStep {
  /** Drafts are against compressed KV, decode steps against the full one. */
  readonly view: "draft" | "full"
  readonly wanted: readonly Wanted[]
  /** Once the rows have yielded: takes the tokens as drafted or as final. */
  readonly settle: () => void
  /** Once the rows have yielded: what the step comes to. */
  readonly stepped: () => Stepped
}

/** Tokens a step may yield at most: a round's last token is the verifier's own. */
const roomOf = (engine: Engine, session: Session, view: ProposedStep["view"]): number => {
  const left = session.prompt.maxTokens - session.produced
  if (view === "full") return left
  const { mostDrafted = Number.POSITIVE_INFINITY } = engine.options
  return Math.min(left - 1, mostDrafted, engine.mostDrafts(session)) - session.drafts.length
}

/** A request's step with up to `most` proposals. */
export const proposing = (
  engine: Engine,
  session: Session,
  view: ProposedStep["view"],
  most: number
): ProposedStep => {
  const { ngram } = engine.options
  const room = roomOf(engine, session, view)
  if (room <= 0 || session.stopped)
    return {
      view,
      wanted: [],
      settle: () => {},
      // The scheduler has not heard of the stop yet; it counts a token a step.
      stepped: () => ({ tokens: 1, proposed: 0, agreed: 0 })
    }
  const text = [...session.tokens, ...session.drafts]
  const position = text.length - 1
  if (view === "full" && (session.full === undefined || session.full.end < position))
    throw new Error(`request ${session.id} decodes without its full KV`)
  const proposed = ngram === undefined ? [] : proposeNgram(text, ngram, Math.min(most, room - 1))
  engine.writeTokens(session, position + 1, proposed)
  engine.extend(session, view, position + 1 + proposed.length)
  const start = view === "full" ? 0 : session.tail!.start
  const chosen: number[] = []
  const wanted = Array.from({ length: proposed.length + 1 }, (_, i): Wanted => ({
    session,
    row: {
      view: view === "full" ? fullView(session.place) : draftView(session.place),
      position: position + i,
      tail: position + i - start,
      // Chosen tokens are not written on the device: the next row reads the proposed one there.
      flags: 0
    },
    gather: (token) => chosen.push(token)
  }))
  const tally = (agreed: number): void => {
    session.proposed += proposed.length
    session.agreed += agreed
  }
  const found = (): { readonly tokens: readonly number[]; readonly agreed: number } => {
    const { tokens, accepted } = matchCommit(proposed, chosen)
    return view === "draft"
      ? { tokens, agreed: accepted }
      : { tokens: engine.untilStop(tokens), agreed: accepted }
  }
  return {
    view,
    wanted,
    settle: () => {
      const { tokens, agreed } = found()
      engine.writeTokens(session, position + tokens.length, tokens.slice(-1))
      if (view === "draft") {
        session.drafts.push(...tokens)
        session.proposals = {
          proposed: session.proposals.proposed + proposed.length,
          agreed: session.proposals.agreed + agreed
        }
        return
      }
      session.full!.end = position + tokens.length
      tally(agreed)
      const accepted = Math.min(agreed, tokens.length - 1)
      engine.commit(session, tokens, accepted, proposed.slice(accepted))
    },
    stepped: () => {
      const { tokens, agreed } = found()
      return { tokens: tokens.length, proposed: proposed.length, agreed }
    }
  }
}
