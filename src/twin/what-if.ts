/** Questions to a machine as it is now: the same requests with another window, keep ratio, batch or link, on the followed hardware. */
import { Exit } from "effect"
import type { Method, NamedMethod, Scenario } from "../scenario/resolved.ts"
import { simulate } from "../sim/simulate.ts"
import { type Follower, type Part, PARTS } from "./follow.ts"

export const QUESTIONS = ["window", "keep", "batch", "link"] as const
export type Asked = (typeof QUESTIONS)[number]

/** `window`: drafts a round; `keep`: share of the KV; `batch`: requests at once; `link`: times its present rate. */
export interface Question {
  /** As it was written. */
  readonly text: string
  readonly asked: Asked
  readonly value: number
}

const BOUNDS: Readonly<
  Record<Asked, { readonly is: (value: number) => boolean; readonly expected: string }>
> = {
  window: {
    is: (value) => Number.isInteger(value) && value >= 1 && value <= 4096,
    expected: "1 to 4096 tokens"
  },
  keep: { is: (value) => value > 0 && value <= 1, expected: "a share above 0, at most 1" },
  batch: { is: (value) => Number.isInteger(value) && value >= 1, expected: "1 request or more" },
  link: { is: (value) => value > 0, expected: "a factor above 0, such as 2 or 0.5" }
}

/** A question such as `window=16`, or what is wrong with it. */
export const parseQuestion = (text: string): Question | { readonly problem: string } => {
  const [name = "", given = "", ...rest] = text.split("=")
  const asked = QUESTIONS.find((one) => one === name.trim())
  if (asked === undefined || rest.length > 0)
    return { problem: `${text}: expected ${QUESTIONS.join(", ")}, = and a number: window=16` }
  const value = given.trim() === "" ? Number.NaN : Number(given)
  return BOUNDS[asked].is(value)
    ? { text, asked, value }
    : { problem: `${text}: expected ${BOUNDS[asked].expected}` }
}

export interface Answer {
  readonly question: Question
  /** Tokens/s of the machine as it is now, and with the change; undefined where it does not fit, or the method has no such setting. */
  readonly now: number | undefined
  readonly changed: number | undefined
  /** What a reader must know to use the figure. */
  readonly note: string | undefined
}

/** Answers of one method; `stale`: parts that have left their model, whose new level is not known yet: nothing is predicted. */
export type Answers =
  | { readonly kind: "stale"; readonly parts: readonly Part[] }
  | { readonly kind: "answered"; readonly unproven: readonly Part[]; readonly answers: readonly Answer[] }

/** Asks the simulator about the machine that a follower hears. */
export const askLive = (follower: Follower, name: string, questions: readonly Question[]): Answers => {
  const standing = (which: string): readonly Part[] =>
    PARTS.filter((part) => follower.standing(part) === which)
  const stale = standing("stale")
  if (stale.length > 0) return { kind: "stale", parts: stale }
  const { live } = follower
  const named = live.methods.find((one) => one.name === name)!
  const now = rateOf(live, named)
  const answers = questions.map((question): Answer => {
    const other = withChange(live, named, question)
    return {
      question,
      now,
      changed: other === undefined ? undefined : rateOf(other.scenario, other.named),
      note: other === undefined ? `${name} has no ${question.asked}` : noteOn(question, live)
    }
  })
  return { kind: "answered", unproven: standing("unproven"), answers }
}

/** What an answer rests on. */
const noteOn = ({ asked, value }: Question, { workload }: Scenario): string | undefined => {
  if (asked === "keep") return "acceptance as at the keep ratio it has now: assumed"
  if (asked !== "batch" || workload.kind !== "synthetic" || workload.arrivals.kind !== "closed")
    return undefined
  const { concurrency } = workload.arrivals
  return value > concurrency
    ? `its clients keep ${concurrency} in flight, so no more are in a batch`
    : undefined
}

const rateOf = (scenario: Scenario, named: NamedMethod): number | undefined => {
  const exit = simulate(scenario, named)
  return Exit.isSuccess(exit) ? exit.value.metrics.throughput.tokensPerSecond : undefined
}

const withChange = (
  scenario: Scenario,
  named: NamedMethod,
  { asked, value }: Question
): { readonly scenario: Scenario; readonly named: NamedMethod } | undefined => {
  const { engine, hardware } = scenario
  switch (asked) {
    case "batch":
      return { scenario: { ...scenario, engine: { ...engine, maxNumSeqs: value } }, named }
    case "link": {
      const { link } = hardware
      const faster = {
        ...link,
        hostToDevice: link.hostToDevice * value,
        deviceToHost: link.deviceToHost * value
      }
      return { scenario: { ...scenario, hardware: { ...hardware, link: faster } }, named }
    }
    default: {
      const method = asked === "window" ? withWindow(named.method, value) : withKeep(named.method, value)
      return method === undefined ? undefined : { scenario, named: { ...named, method } }
    }
  }
}

const withWindow = (method: Method, tokens: number): Method | undefined =>
  method.kind === "vericache" || method.kind === "sparse"
    ? { ...method, window: { kind: "fixed", tokens } }
    : undefined

const withKeep = (method: Method, keep: number): Method | undefined =>
  "compressor" in method ? { ...method, compressor: { ...method.compressor, keep } } : undefined
