import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { faultsOf, GOOD, scenarioOf, told } from "./catalog.fixture.ts"
import { parseAzureCsv, parseMooncakeJsonl } from "./workload-trace.ts"

const AZURE = `TIMESTAMP,ContextTokens,GeneratedTokens
2023-11-16 18:15:46.6805900,374,44
2023-11-16 18:15:50.9951690,396,109
2023-11-16 18:15:51.2225670,879,55
`
const MOONCAKE = `{"timestamp": 0, "input_length": 6758, "output_length": 500, "hash_ids": [0, 1, 2]}
{"timestamp": 3000, "input_length": 7322, "output_length": 490, "hash_ids": [0, 14]}
`

describe("an Azure trace", () => {
  it("counts arrivals from the first, in seconds", () => {
    const { requests, faults } = parseAzureCsv("t.csv", AZURE)
    expect(faults).toEqual([])
    expect(requests.map(({ input, output }) => [input, output])).toEqual([
      [374, 44],
      [396, 109],
      [879, 55]
    ])
    expect(requests[0]!.arrival).toBe(0)
    expect(requests[1]!.arrival).toBeCloseTo(4.314579, 5)
    expect(requests[2]!.arrival).toBeCloseTo(4.541977, 5)
  })

  it("of 2024 gives its times with an offset", () => {
    const text = `TIMESTAMP,ContextTokens,GeneratedTokens
2024-05-10 00:00:00.009930+00:00,2162,5
2024-05-10 01:00:01.009930+01:00,2399,6
`
    const { requests, faults } = parseAzureCsv("t.csv", text)
    expect(faults).toEqual([])
    expect(requests.map(({ arrival }) => Math.round(arrival * 1e6) / 1e6)).toEqual([0, 1])
  })

  it("reads line ends of either kind", () => {
    expect(parseAzureCsv("t.csv", AZURE.replaceAll("\n", "\r\n")).requests).toEqual(
      parseAzureCsv("t.csv", AZURE).requests
    )
  })

  it("reports every bad cell at its line and column", () => {
    const text = `TIMESTAMP,ContextTokens,GeneratedTokens
2023-11-16 18:15:46.68,374,44
yesterday,0,-3
2023-11-16 18:15:50.99,12,1.5
2023-11-16 18:15:51,7
`
    expect(told(parseAzureCsv("t.csv", text).faults)).toEqual([
      't.csv:3:1 TIMESTAMP: expected a time such as 2023-11-16 18:15:46.68, found "yesterday"',
      't.csv:3:11 ContextTokens: expected a whole number ≥ 1, found "0"',
      't.csv:3:13 GeneratedTokens: expected a whole number ≥ 1, found "-3"',
      't.csv:4:27 GeneratedTokens: expected a whole number ≥ 1, found "1.5"',
      "t.csv:5:1 : expected 3 columns, found 2"
    ])
  })

  it("that is cut off says so", () => {
    const faults = told(parseAzureCsv("t.csv", AZURE.slice(0, -12)).faults)
    expect(faults).toHaveLength(1)
    expect(faults[0]).toMatch(/^t\.csv:4:\d+ .*is the file truncated\?/)
  })

  it("out of order is refused", () => {
    const [header, first, second] = AZURE.split("\n")
    expect(told(parseAzureCsv("t.csv", [header, second, first, ""].join("\n")).faults)).toEqual([
      "t.csv:3:1 timestamp: expected arrivals in order, found one before its predecessor"
    ])
  })

  it("without its header, or without requests, is refused", () => {
    expect(told(parseAzureCsv("t.csv", "a,b\n").faults)[0]).toMatch(/^t\.csv:1:1 .*found "a,b"/)
    expect(told(parseAzureCsv("t.csv", "").faults)[0]).toMatch(/^t\.csv:1:1 .*found ""/)
    expect(told(parseAzureCsv("t.csv", AZURE.split("\n", 1)[0]!).faults)[0]).toMatch(/at least one request/)
  })

  it("with a fault on every line does not report them all", () => {
    const text = `TIMESTAMP,ContextTokens,GeneratedTokens\n${"x,1,1\n".repeat(1000)}`
    expect(parseAzureCsv("t.csv", text).faults).toHaveLength(20)
  })
})

describe("a Mooncake trace", () => {
  it("counts milliseconds and keeps the prefix blocks", () => {
    expect(parseMooncakeJsonl("t.jsonl", MOONCAKE)).toEqual({
      requests: [
        { arrival: 0, input: 6758, output: 500, blocks: [0, 1, 2] },
        { arrival: 3, input: 7322, output: 490, blocks: [0, 14] }
      ],
      faults: []
    })
  })

  it("reports every bad line", () => {
    const text = `{"timestamp": 0, "input_length": 1, "output_length": 1}
{"timestamp": 1, "input_length": "7", "output_length": 0}
[1, 2]
null
{"timestamp": 2, "input_length": 1, "output_length": 1, "hash_ids": "none"}
{"timestamp": 3, "input_le`
    const faults = told(parseMooncakeJsonl("t.jsonl", text).faults)
    expect(faults.map((fault) => fault.split(": ")[0])).toEqual([
      "t.jsonl:2:1 input_length",
      "t.jsonl:2:1 output_length",
      "t.jsonl:3:1 timestamp",
      "t.jsonl:3:1 input_length",
      "t.jsonl:3:1 output_length",
      "t.jsonl:4:1 timestamp",
      "t.jsonl:4:1 input_length",
      "t.jsonl:4:1 output_length",
      "t.jsonl:5:1 hash_ids",
      "t.jsonl:6:27 "
    ])
    expect(faults.at(-1)).toMatch(/truncated/)
  })
})

describe("any text", () => {
  it("is a trace or has faults with a place", () => {
    const line = fc.oneof(
      fc.string(),
      fc.json(),
      fc.constantFrom(...AZURE.split("\n"), ...MOONCAKE.split("\n"), "null", "{}")
    )
    fc.assert(
      fc.property(fc.array(line), fc.boolean(), (lines, headed) => {
        const text = lines.join("\n")
        for (const parsed of [
          parseAzureCsv("t", headed ? `TIMESTAMP,ContextTokens,GeneratedTokens\n${text}` : text),
          parseMooncakeJsonl("t", text)
        ]) {
          expect(parsed.requests.length + parsed.faults.length).toBeGreaterThan(0)
          for (const fault of parsed.faults)
            expect(Math.min(fault.line, fault.column)).toBeGreaterThanOrEqual(1)
          for (const { arrival, input, output } of parsed.requests)
            expect(arrival >= 0 && input >= 1 && output >= 1).toBe(true)
        }
      })
    )
  })
})

describe("a scenario with a trace", () => {
  const traced = GOOD.replace(
    /requests: 20\n[\s\S]*output: 64\n/,
    "trace: { file: t.csv, format: azure-csv, source: test, rate_scale: 2 }\n"
  )

  it("scales arrivals and takes as many requests as it is told", () => {
    const limited = traced.replace("context: prefill", "context: prefill\n  requests: 2")
    const { workload } = scenarioOf({ "s.yaml": limited, "t.csv": AZURE })
    if (workload.kind !== "trace") throw new Error("expected a trace")
    expect(workload.requests).toHaveLength(2)
    expect(workload.requests[1]!.arrival).toBeCloseTo(4.314579 / 2, 5)
  })

  it("says what is wrong in the trace, and what has no meaning beside one", () => {
    const both = traced.replace("context: prefill", "context: prefill\n  input: 5")
    expect(told(faultsOf({ "s.yaml": both, "t.csv": AZURE.replace("374", "many") }))).toEqual([
      "s.yaml:6:3 workload.input: has no meaning beside a trace",
      't.csv:2:29 ContextTokens: expected a whole number ≥ 1, found "many"'
    ])
  })

  it("that is not UTF-8 is told where it stands", () => {
    const bytes = Uint8Array.from([...new TextEncoder().encode(AZURE), 0xff])
    expect(told(faultsOf({ "s.yaml": traced, "t.csv": bytes }))).toEqual([
      "t.csv:5:1 : expected UTF-8 text, found a byte that is none"
    ])
  })

  it("does not serve requests beyond the model's positions", () => {
    const [fault] = faultsOf({ "s.yaml": traced, "t.csv": AZURE.replace("374", "200000") })
    expect(fault?.field).toBe("workload.trace")
    expect(fault?.message).toMatch(/200044 tokens are beyond llama-3.1-8b's 131072 positions/)
  })
})
