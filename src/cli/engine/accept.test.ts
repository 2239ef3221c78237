import { spawn, spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { makeAcceptance } from "../../sim/acceptance/acceptance.ts"
import { acceptanceFigures } from "../../engine/acceptance-figures.ts"
import type { Compressor } from "../../engine/compressors/compressor.ts"
import { h2o, snapkv } from "../../engine/compressors/drop.ts"
import { int8 } from "../../engine/compressors/quantize.ts"
import { GOOD, scenarioOf } from "../../scenario/catalog.fixture.ts"
import { acceptanceProfile, against, renderRows } from "./accept-tables.ts"

const root = join(import.meta.dirname, "..", "..", "..")
const ARGUMENTS = ["--import", "./scripts/wgsl.ts", "src/cli/main.ts"]
let folder = ""

/** Runs a command of the engine from source, on the software adapter. */
const vericache = (...flags: readonly string[]) =>
  spawnSync(process.execPath, [...ARGUMENTS, ...flags], { cwd: root, encoding: "utf8" })

const small = (...flags: readonly string[]): string[] => [
  "accept",
  "--adapter",
  "software",
  "--prompts",
  folder,
  "--context",
  "48",
  ...flags
]

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "vericache-accept-"))
  writeFileSync(join(folder, "one.txt"), "def double(value):\n    return 2 * value\n\n".repeat(6))
  writeFileSync(join(folder, "two.txt"), "It was the best of times, it was the worst of times. ".repeat(6))
})
afterAll(() => rmSync(folder, { recursive: true }))

describe("accept", () => {
  it("measures rounds of the window asked for and writes what scenarios name; simulating gives its mean", () => {
    const file = join(folder, "measured.yaml")
    const { stdout, stderr, status } = vericache(
      ...small(
        "--compressor",
        "random",
        "--keep",
        "0.25",
        "--window",
        "4",
        "--max-tokens",
        "18",
        "-f",
        "jsonl",
        "-o",
        file
      )
    )
    expect([status, stderr]).toEqual([0, expect.stringContaining("2 of 2 prompts  100 %")])
    const row = JSON.parse(stdout) as Readonly<Record<string, number | string>>
    expect(row).toMatchObject({ compressor: "random", window: 4, context_tokens: 48, prompts: 2 })
    const lengths = String(row["rounds_by_accepted_length"]).split(" ").map(Number)
    expect(lengths).toHaveLength(5)
    expect(lengths.reduce((sum, count) => sum + count, 0)).toBe(row["rounds"])
    expect(existsSync(`${file}.journal`)).toBe(false)
    expect(readFileSync(file, "utf8")).toContain("--window 4 --max-tokens 18")
    const { methods } = scenarioOf({
      "s.yaml": GOOD.replace(
        "  - full-kv",
        "  - full-kv\n  - vericache: { compressor: snapkv, keep: 0.25, acceptance_profile: p.yaml, window: 4 }"
      ),
      // The scenario's catalog has no such method; the figures are the same by any name.
      "p.yaml": readFileSync(file, "utf8")
        .replaceAll('"compressor":"random"', '"compressor":"snapkv"')
        .replace(/"keep":[\d.]+/, '"keep":0.25')
    })
    const method = methods[1]!.method
    if (method.kind !== "vericache") throw new Error("the method is another")
    const { acceptance } = method.compressor
    expect(makeAcceptance(acceptance, 1).expected(4, 48)).toBeCloseTo(Number(row["accepted_per_round"]), 9)
  })

  it("goes on after Ctrl-C from the cells that were done, and leaves nothing half-written", async () => {
    const file = join(folder, "interrupted.yaml")
    const methods = ["--compressor", "int8", "--compressor", "kivi-2", "--compressor", "int4"]
    const flags = small(...methods, "--window", "4", "--max-tokens", "40", "-o", file)
    const child = spawn(process.execPath, [...ARGUMENTS, ...flags], { cwd: root })
    let told = ""
    child.stderr.on("data", (chunk: Buffer) => {
      told += chunk.toString()
      // A prompt of the second method has ended: the first is done.
      if (!child.killed && told.includes("3 of 6 prompts")) child.kill("SIGINT")
    })
    const status = await new Promise((ended) => child.on("exit", ended))
    expect([status, told]).toEqual([130, expect.stringMatching(/[12] of 3 cells are kept/)])
    expect([existsSync(file), existsSync(`${file}.journal`)]).toEqual([false, true])
    const again = vericache(...flags, "--per-position", "-f", "csv")
    expect([again.status, again.stderr]).toEqual([
      0,
      expect.stringMatching(/[12] of 3 cells are measured already/)
    ])
    expect(again.stdout).toMatch(/^int8,,4,48,1,/m)
    expect(again.stdout).toMatch(/^int4,,4,48,1,/m)
    expect([existsSync(file), existsSync(`${file}.journal`)]).toEqual([true, false])
  })

  it("tells all that is wrong at once", () => {
    const wrong = ["--compressor", "snapvk", "--compressor", "no-such.js", "--keep", "1.5", "--window", "0"]
    wrong.push("--against", "h2o")
    const { stdout, stderr, status } = vericache("accept", ...wrong, "--context", "9000", "-o", "/dev/null/x")
    expect([status, stdout]).toEqual([2, ""])
    expect(stderr.trim().split("\n")).toEqual([
      expect.stringContaining("--output cannot be written"),
      "--against h2o is not measured; one of snapvk, no-such.js is expected",
      "--keep is 1.5; above 0 and at most 1 is expected",
      "--window is 0; at least 1 is expected",
      'no compressor is named "snapvk"; did you mean snapkv?',
      "--compressor no-such.js: there is no such file",
      expect.stringMatching(/^--context 9000: the longest prompt has \d+ tokens$/)
    ])
  })

  it("tells of a model that cannot be read together with what else is wrong", () => {
    const { stderr, status } = vericache("accept", "--model", "docs", "--keep", "2")
    expect([status, stderr.trim().split("\n")]).toEqual([
      2,
      ["--keep is 2; above 0 and at most 1 is expected", expect.stringContaining("docs: has no config.json")]
    ])
  })

  it("refuses contexts and windows the model or the output has no room for", () => {
    const { stderr, status } = vericache(
      ..."accept --context 512 --max-tokens 4000 --window 3999 --prompts".split(" "),
      folder
    )
    expect(status).toBe(2)
    expect(stderr).toContain("--context 512: the longest prompt has")
    expect(stderr).toContain("--max-tokens 4000 has no room for a round of --window 3999; at least 4001")
  })
})

describe("a compressor of one's own", () => {
  it("that breaks a promise on a real context is stopped, and the promise named", () => {
    const file = join(folder, "careless.mjs")
    const example = new URL("../../../docs/examples/every-other.js", import.meta.url).href
    // Of the lengths it is tried on it keeps its promises, of this one it does not.
    writeFileSync(
      file,
      `import example from ${JSON.stringify(example)}
       export default { ...example, name: "careless", compress: (seen, budget) => {
         const answer = example.compress(seen, budget)
         return seen.tokens === 48 ? { ...answer, tailStart: 49 } : answer
       } }`
    )
    const { stdout, stderr, status } = vericache(...small("--compressor", file, "--window", "4"))
    expect([status, stdout]).toEqual([2, ""])
    expect(stderr.trim().split("\n").at(-1)).toBe(
      "compressor careless, on a context of 48 tokens: compress answers: tailStart is 49; a whole number from 0 to the 48 tokens is expected"
    )
  })

  it("that breaks one on a made-up context is refused before anything runs", () => {
    const file = join(folder, "wrong.mjs")
    writeFileSync(file, 'export default { name: "wrong", needs: {} }')
    const { stderr, status } = vericache(...small("--compressor", file, "--window", "4", "--keep", "0"))
    expect(status).toBe(2)
    expect(stderr).toContain("--keep is 0; above 0 and at most 1 is expected")
    expect(stderr).toContain(`--compressor ${file}: compress is missing; a function is expected`)
    expect(stderr).not.toContain("SwiftShader")
  })
})

it("sets cells beside another method's on the same prompts", () => {
  const cell = (compressor: Compressor, lengths: readonly number[], keep = 0.25) => ({
    compressor,
    keep,
    window: 8,
    context: 512,
    prompts: lengths.length,
    cut: 0,
    bytesShare: 0.28,
    ...acceptanceFigures(
      lengths.map((accepted, prompt) => ({ prompt, accepted })),
      8
    )
  })
  const rows = [cell(snapkv, [4, 0]), cell(h2o, [6, 2]), cell(int8, [8, 8]), cell(h2o, [6, 2], 0.5)]
  const shown = renderRows("json", against(rows, "snapkv"), rows)
  expect(JSON.parse(shown)).toEqual([
    {},
    {
      acceptance_difference: 0.25,
      acceptance_difference_low: 0.25,
      acceptance_difference_high: 0.25
    },
    { acceptance_difference: 0.75, acceptance_difference_low: 0.5, acceptance_difference_high: 1 },
    {}
  ])
  expect(renderRows("table", against(rows, "snapkv"), rows)).toContain("+75.0  +50.0 to +100.0")
})

describe("the profile", () => {
  const rounds = [8, 3, 0, 8, 5].map((accepted, prompt) => ({ prompt, accepted }))
  const cell = (context: number, given: typeof rounds, window = 8) => ({
    compressor: snapkv,
    keep: 0.25,
    window,
    context,
    prompts: 5,
    cut: 0,
    bytesShare: 0.28,
    ...acceptanceFigures(given, window)
  })

  it("is what a scenario's compressor draws its accepted lengths from", () => {
    const use = "{ compressor: snapkv, keep: 0.25, acceptance_profile: p.yaml, window: 8 }"
    const profile = acceptanceProfile([cell(512, rounds), cell(256, rounds.slice(0, 3))], "tiny", "test")
    expect(profile).toContain(
      "5 prompts of 512 and 5 prompts of 256 tokens, 8 rounds of exactly 8 drafted tokens, 4.38 accepted"
    )
    const { methods } = scenarioOf({
      "s.yaml": GOOD.replace("  - full-kv", `  - full-kv\n  - vericache: ${use}`),
      "p.yaml": profile
    })
    const method = methods[1]!.method
    if (method.kind !== "vericache") throw new Error("the method is another")
    const model = makeAcceptance(method.compressor.acceptance, 1)
    const mean = (8 + 3 + 0 + 8 + 5 + 8 + 3 + 0) / 8
    expect(model.expected(8, 512)).toBeCloseTo(mean, 9)
    const drawn = Array.from({ length: 20_000 }, (_, i) =>
      model.accepted(i % 50, 1 + Math.floor(i / 50), 8, 512)
    )
    // Four standard errors of a length within 0…8.
    expect(Math.abs(drawn.reduce((sum, length) => sum + length, 0) / 20_000 - mean)).toBeLessThan(
      (4 * 4) / Math.sqrt(20_000)
    )
  })

  it("takes the widest window only", () => {
    expect(
      acceptanceProfile([cell(512, rounds), cell(512, [{ prompt: 0, accepted: 1 }], 2)], "tiny", "test")
    ).toBe(acceptanceProfile([cell(512, rounds)], "tiny", "test"))
  })
})
