/**
 * Lengths without arrivals: JSON or JSON lines of requests with `prompt_len` and `output_len` (or input_toks and output_toks,
 * input_length and output_length), and conversations in ShareGPT's layout, whose texts count four characters a token:
 * an estimate, since only the model's tokenizer knows.
 */
import { Random } from "../../sim/kernel/random.ts"
import { type Complaint, isNumber, isRecord } from "./json.ts"
import type { MeasuredRequest, MeasuredRun } from "./measured-run.ts"

type Fields = Readonly<Record<string, unknown>>

const PAIRS = [
  ["prompt_len", "output_len"],
  ["input_toks", "output_toks"],
  ["input_length", "output_length"]
] as const

/** Characters of English text to a token, as a rule of thumb. */
const CHARACTERS = 4

const textOf = (turn: unknown): string | undefined => {
  const value = isRecord(turn) ? (turn["value"] ?? turn["content"]) : undefined
  return typeof value === "string" ? value : undefined
}

/** First question and first answer, as vLLM's benchmark takes them. */
const conversationOf = (one: Fields): readonly [number, number] | undefined => {
  const turns = one["conversations"] ?? one["conversation"]
  if (!Array.isArray(turns) || turns.length < 2) return undefined
  const [question, answer] = [textOf(turns[0]), textOf(turns[1])]
  if (question === undefined || answer === undefined || question === "" || answer === "") return undefined
  return [Math.ceil(question.length / CHARACTERS), Math.ceil(answer.length / CHARACTERS)]
}

const isConversation = (one: Fields): boolean => "conversations" in one || "conversation" in one

/** Whether records look like lengths or conversations: the first says it. */
export const isLengths = (records: readonly unknown[]): boolean => {
  const [one] = records
  return isRecord(one) && (isConversation(one) || PAIRS.some(([input]) => input in one))
}

/** Requests of these lengths that arrive as a Poisson process at `rate`, requests/s; complaints name the record. */
export const readLengths = (
  name: string,
  records: readonly unknown[],
  rate: number | undefined
): { readonly run: MeasuredRun | undefined; readonly complaints: readonly Complaint[] } => {
  if (rate === undefined)
    return {
      run: undefined,
      complaints: [{ field: "", message: "it has lengths but no arrivals: say --rate, requests per second" }]
    }
  const complaints: Complaint[] = []
  const random = new Random(1, "import", "arrivals")
  let at = 0
  let short = 0
  let estimated = false
  const requests = records.flatMap((one, i): MeasuredRequest[] => {
    if (isRecord(one) && isConversation(one)) {
      estimated = true
      const lengths = conversationOf(one)
      if (lengths === undefined) {
        short++
        return []
      }
      if (i > short) at += random.exponential(1 / rate)
      return [{ arrival: at, input: lengths[0], output: lengths[1] }]
    }
    const pair = isRecord(one) ? PAIRS.find(([input]) => input in one) : undefined
    const [input, output] = pair === undefined ? [] : [(one as Fields)[pair[0]], (one as Fields)[pair[1]]]
    if (
      !isNumber(input) ||
      !isNumber(output) ||
      !Number.isInteger(input) ||
      !Number.isInteger(output) ||
      input < 1 ||
      output < 1
    ) {
      if (complaints.length < 20)
        complaints.push({ field: `[${i}]`, message: "expected prompt_len and output_len, whole numbers ≥ 1" })
      return []
    }
    if (i > 0) at += random.exponential(1 / rate)
    return [{ arrival: at, input, output }]
  })
  if (requests.length === 0 && complaints.length === 0)
    complaints.push({ field: "", message: "expected at least one request with a question and an answer" })
  if (complaints.length > 0) return { run: undefined, complaints }
  return {
    run: {
      name,
      requests,
      latencies: {},
      notes: [
        `arrivals drawn as a Poisson process of ${rate} requests/s`,
        ...(estimated ? [`tokens estimated at ${CHARACTERS} characters each: no tokenizer was asked`] : []),
        ...(short > 0 ? [`${short} conversations without question and answer are left out`] : [])
      ]
    },
    complaints
  }
}
