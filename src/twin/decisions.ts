/** What a run decided, apart from when: to hold two runs of one scenario beside each other. */
import type { NamedMethod, Scenario } from "../scenario/resolved.ts"
import { EVENT_KINDS } from "../trace/recorder.ts"
import type { TraceStore } from "../trace/store.ts"
import { replay } from "./replay.ts"
import { Diverged } from "./replay-ports.ts"

/** Times of waiting, which may be empty where the scheduler itself takes no time. */
const WAITS: ReadonlySet<string> = new Set(["queued", "waiting", "stalled"])

/** Everything each track tells, in order: the scheduler's decisions, each request's transitions, passes, transfers. */
export const decisions = ({
  instants,
  slices,
  tracks
}: TraceStore): ReadonlyMap<string, readonly string[]> => {
  const told = new Map<string, string[]>()
  const tell = (track: number, what: string): void => {
    const { name, kind } = tracks[track]!
    const key = `${kind} ${name}`
    const own = told.get(key) ?? []
    told.set(key, own)
    own.push(what)
  }
  for (let row = 0; row < instants.length; row++) {
    const { track, kind, request, tokens } = instants
    tell(track[row]!, `${EVENT_KINDS[kind[row]!]} of ${request[row]}: ${tokens[row]}`)
  }
  for (let row = 0; row < slices.length; row++) {
    const { track, request, tokens, bytes, accepted, round, steps, members, kvTokens } = slices
    const kind = EVENT_KINDS[slices.kind[row]!]!
    // A device's own clock tells when its passes ran once more, and nothing of what was decided.
    if (WAITS.has(kind) || tracks[track[row]!]!.kind === "device-clock") continue
    // Of a transfer on a wall clock they tell the order, which virtual time tells by itself.
    const ofPass = tracks[track[row]!]!.kind.startsWith("link") ? [] : [steps, members, kvTokens]
    const numbers = [request, tokens, bytes, accepted, round, ...ofPass].map((one) => one[row])
    tell(track[row]!, `${kind} ${numbers.join(" ")}`)
  }
  return told
}

/** Whether the simulator's runtime, told what a machine's was told, decided the same. */
export type SamePath =
  | { readonly same: true; readonly decisions: number }
  /** `at`: when, on the machine, ns; undefined: the order of one track differs. */
  | { readonly same: false; readonly at: number | undefined; readonly where: string }

/** Replays a recorded run and compares all it decided. */
export const samePath = (scenario: Scenario, named: NamedMethod, recorded: TraceStore): SamePath => {
  try {
    const ours = decisions(replay(scenario, named, recorded).trace)
    const theirs = decisions(recorded)
    for (const track of new Set([...theirs.keys(), ...ours.keys()])) {
      const [own = [], real = []] = [ours.get(track), theirs.get(track)]
      const first = real.findIndex((what, i) => own[i] !== what)
      if (first >= 0 || own.length > real.length) {
        const i = first >= 0 ? first : real.length
        return {
          same: false,
          at: undefined,
          where: `${track}, ${i + 1}: ${own[i] ?? "nothing"} where the machine had ${real[i] ?? "nothing"}`
        }
      }
    }
    return { same: true, decisions: [...theirs.values()].reduce((sum, { length }) => sum + length, 0) }
  } catch (error) {
    if (!(error instanceof Diverged)) throw error
    return { same: false, at: error.at, where: error.message }
  }
}
