/** Methods from outside: what a module exports, checked before anything runs. */
import type { Compression, Compressor, Observation } from "./compressor.ts"
import { brokenPromises } from "./promises.ts"
import { sampleObservation } from "./sample.ts"

const SHAPE = { layers: 2, heads: 4, kvHeads: 2, headDim: 32 }
/** Contexts a method is tried on: hardly any, and one that fills groups. */
const LENGTHS = [1, 200]
const BUDGET = { keep: 0.5, elementBits: 16, seed: 1 } as const

/** The fields of a method, and what is expected of each. */
const FIELDS: readonly (readonly [keyof Compressor, string, (value: unknown) => boolean])[] = [
  ["name", "a text", (value) => typeof value === "string" && value !== ""],
  ["summary", "a text", (value) => typeof value === "string"],
  ["source", "a text", (value) => typeof value === "string"],
  [
    "kind",
    "none, drop, quantize or hybrid",
    (value) => ["none", "drop", "quantize", "hybrid"].includes(String(value))
  ],
  ["mode", "offline or online", (value) => value === "offline" || value === "online"],
  ["takesKeep", "true or false", (value) => typeof value === "boolean"],
  ["needs", "an object; {} asks for nothing", (value) => typeof value === "object" && value !== null],
  ["compress", "a function", (value) => typeof value === "function"]
]

const told = (value: unknown): string =>
  value === undefined ? "missing" : (JSON.stringify(value) ?? `a ${typeof value}`)

const needsFaults = ({ attention, queries }: Compressor["needs"]): string[] => [
  ...(attention === undefined || ["prompt", "recent", "reconstruction"].includes(attention.over)
    ? []
    : [`needs.attention.over is ${told(attention.over)}; prompt, recent or reconstruction is expected`]),
  ...(attention === undefined || attention.reduce === "sum" || attention.reduce === "max"
    ? []
    : [`needs.attention.reduce is ${told(attention.reduce)}; sum or max is expected`]),
  ...[["needs.attention.rows", attention?.rows] as const, ["needs.queries", queries] as const].flatMap(
    ([field, count]) =>
      count === undefined || (Number.isInteger(count) && count > 0)
        ? []
        : [`${field} is ${told(count)}; a whole number from 1 is expected`]
  )
]

const NO_ANSWER = "no object with kept, an array for each layer, and format, with keys and values"

/** Whether there is anything to check promises on. */
const isAnswer = (value: unknown): boolean => {
  if (typeof value !== "object" || value === null) return false
  const { kept, format } = value as Partial<Compression>
  return (
    Array.isArray(kept) &&
    kept.every((heads) => Array.isArray(heads)) &&
    [format?.keys, format?.values].every((rows) => rows === "raw" || typeof rows === "object")
  )
}

/** What is wrong with what a method answers to a made-up context. */
const answerFaults = (method: Compressor, tokens: number): readonly string[] => {
  const about = (fault: string): string => `of a context of ${tokens} tokens, compress answers: ${fault}`
  try {
    const seen: Observation = sampleObservation({ ...SHAPE, tokens }, method.needs)
    const answer = method.compress(seen, BUDGET)
    if (!isAnswer(answer)) return [about(NO_ANSWER)]
    const faults = brokenPromises(seen, answer)
    if (faults.length > 0) return faults.map(about)
    const again = method.compress(seen, BUDGET)
    return JSON.stringify(again) === JSON.stringify(answer) ? [] : [about("something else when asked again")]
  } catch (error) {
    return [
      `compress fails on a context of ${tokens} tokens: ${error instanceof Error ? error.message : String(error)}`
    ]
  }
}

/** The method a module's default export is, or all that keeps it from being one, as far as made-up contexts can tell. */
export const asCompressor = (value: unknown): Compressor | readonly string[] => {
  if (typeof value !== "object" || value === null)
    return [`its default export is ${told(value)}; a Compressor is expected`]
  const method = value as Compressor
  const faults = FIELDS.flatMap(([field, expected, holds]) =>
    holds(method[field]) ? [] : [`${field} is ${told(method[field])}; ${expected} is expected`]
  )
  if (faults.length > 0) return faults
  const asked = needsFaults(method.needs)
  if (asked.length > 0) return asked
  const answers = LENGTHS.flatMap((tokens) => answerFaults(method, tokens))
  return answers.length > 0 ? answers : method
}

/** A method of a user's own fails on a real context, or answers it with something the engine cannot store. */
export class BrokenPromise extends Error {
  constructor(method: string, tokens: number, faults: readonly string[]) {
    super(
      faults.map((fault) => `compressor ${method}, on a context of ${tokens} tokens: ${fault}`).join("\n")
    )
  }
}

/** The method, with every answer checked: made-up contexts cannot show all that a method does with real ones. */
export const holdingPromises = (method: Compressor): Compressor => ({
  ...method,
  compress: (observation, budget) => {
    const broken = (faults: readonly string[]) => new BrokenPromise(method.name, observation.tokens, faults)
    let answer: Compression
    try {
      answer = method.compress(observation, budget)
    } catch (error) {
      throw broken([`compress fails: ${error instanceof Error ? error.message : String(error)}`])
    }
    if (!isAnswer(answer)) throw broken([`compress answers: ${NO_ANSWER}`])
    const faults = brokenPromises(observation, answer)
    if (faults.length > 0) throw broken(faults.map((fault) => `compress answers: ${fault}`))
    return answer
  }
})
