/** The command line as a shell sees it: bytes on stdout, words on stderr, exit code, files. */
import { spawn } from "node:child_process"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { afterAll, beforeAll, describe, expect, it } from "vitest"

const MAIN = join(import.meta.dirname, "main.ts")
const ROOT = join(import.meta.dirname, "..", "..")

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

let folder = ""
let cache = ""
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "vericache-cli-"))
  cache = mkdtempSync(join(tmpdir(), "vericache-cache-"))
})
afterAll(() => {
  for (const one of [folder, cache]) rmSync(one, { recursive: true })
})

/** Runs `vericache …` in the scratch folder; `interruptAfter` milliseconds it is sent Ctrl-C. */
const vericache = (args: readonly string[], interruptAfter?: number): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [MAIN, ...args], {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
      // Node starts a third faster where it has compiled the same files before.
      env: { ...process.env, NODE_COMPILE_CACHE: cache }
    })
    let stdout = ""
    let stderr = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text))
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text))
    child.on("error", reject)
    child.on("close", (code) => resolve({ code, stdout, stderr }))
    if (interruptAfter !== undefined) void delay(interruptAfter).then(() => child.kill("SIGINT"))
  })

/** A file in the scratch folder. */
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text)
  return name
}

const ACCEPTANCE = "acceptance: { alpha: 0.95, source: a test, basis: assumed }"
const TINY = `name: tiny
model: llama-3.1-8b
hardware: h100-sxm
workload:
  context: host
  requests: 6
  arrivals: { concurrency: 3 }
  input: 2k tokens
  output: 32
methods:
  - full-kv
  - offloaded
  - lossy: { compressor: kvzip, keep: 0.2, ${ACCEPTANCE} }
  - name: VeriCache
    vericache: { compressor: kvzip, keep: 0.2, window: 8, ${ACCEPTANCE} }
`

describe.concurrent("vericache simulate", () => {
  it("prints the same bytes twice, as a table", async () => {
    const scenario = file("twice.yaml", TINY)
    const [first, second] = await Promise.all([
      vericache(["simulate", scenario]),
      vericache(["simulate", scenario])
    ])
    expect(second).toEqual(first)
    expect([first.code, first.stderr]).toEqual([0, ""])
    expect(first.stdout).toMatch(/^tiny\nllama-3\.1-8b .* on 1 × h100-sxm; 6 requests, 3 in flight; seed 1\n/)
    expect(first.stdout).toMatch(/VeriCache serves \d+\.\d\d× the full-kv throughput/)
    expect(first.stdout).toMatch(/^offloaded .* identical$/m)
    expect(first.stdout).toMatch(/^lossy .* LOSSY/m)
    expect(first.stdout).toMatch(/^limited by: /m)
    expect(first.stdout).toMatch(/acceptance of kvzip at keep 0\.2: assumed; a test/)
    expect(first.stdout).toMatch(/^scenario [0-9a-f]{16}\n$/m)
  })

  it("knows five formats that agree", async () => {
    const scenario = file("formats.yaml", TINY)
    const [json, jsonl, csv, md] = await Promise.all(
      ["json", "jsonl", "csv", "md"].map((format) => vericache(["simulate", scenario, "-f", format]))
    )
    for (const one of [json, jsonl, csv, md]) expect([one!.code, one!.stderr]).toEqual([0, ""])
    const report = JSON.parse(json!.stdout) as {
      readonly basis: string
      readonly subject: string
      readonly methods: readonly {
        readonly name: string
        readonly metrics: { readonly throughput: { readonly tokensPerSecond: number } }
      }[]
    }
    expect([report.basis, report.subject]).toEqual(["modelled", "VeriCache"])
    const rates = report.methods.map(({ name, metrics }) => [name, metrics.throughput.tokensPerSecond])
    const rows = jsonl!.stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(rows.map((row) => [row["method"], row["tokens_per_s"]])).toEqual(rates)
    const [header, ...lines] = csv!.stdout
      .trimEnd()
      .split("\n")
      .map((line) => line.split(","))
    expect(new Set(header).size).toBe(header!.length)
    expect(header).toEqual(Object.keys(rows[0]!))
    expect(header).toContain("ttft_p50_s")
    expect(lines.map((cells) => [cells[0], Number(cells[header!.indexOf("tokens_per_s")])])).toEqual(rates)
    expect(md!.stdout).toMatch(/^# tiny\n\n/)
    expect(md!.stdout).toMatch(/^\| :-- \| --: /m)
  })

  it("reads JSON, and simulates only the methods and with the seed it is told", async () => {
    const scenario = file(
      "tiny.json",
      JSON.stringify({
        name: "tiny",
        model: "llama-3.1-8b",
        hardware: "h100-sxm",
        workload: { context: "prefill", requests: 5, arrivals: { rate: 50 }, input: 512, output: 8 },
        methods: ["full-kv", "offloaded"]
      })
    )
    const { code, stdout } = await vericache(["simulate", scenario, "-m", "offloaded", "--seed", "42"])
    expect(code).toBe(0)
    expect(stdout).toMatch(/seed 42\n/)
    expect(stdout).not.toMatch(/^full-kv/m)
    // The baseline did not run: there is nothing to compare with, and nothing is said not to fit.
    expect(stdout).toMatch(/^offloaded serves [\d.,]+ tok\/s\. /m)
    const unknown = await vericache(["simulate", scenario, "-m", "ofloaded"])
    expect([unknown.code, unknown.stdout]).toEqual([2, ""])
    expect(unknown.stderr).toBe("no method is called ofloaded; the scenario has full-kv, offloaded\n")
  })

  it("writes a trace in the format of its name, whole, and the same twice", async () => {
    const scenario = file("traced.yaml", TINY)
    const [, , , again] = await Promise.all(
      ["a.pftrace", "deep/a.json", "a.jsonl", "b.pftrace"].map(async (name) => {
        const { code, stderr, stdout } = await vericache([
          "simulate",
          scenario,
          "-m",
          "VeriCache",
          "--trace",
          name
        ])
        expect(code).toBe(0)
        expect(stderr).toMatch(`trace of VeriCache: ${name}`)
        expect(stdout).not.toMatch(name)
        return readFileSync(join(folder, name))
      })
    )
    expect(again!.equals(readFileSync(join(folder, "a.pftrace")))).toBe(true)
    expect(again!.length).toBeGreaterThan(1000)
    const chrome = JSON.parse(readFileSync(join(folder, "deep/a.json"), "utf8")) as {
      readonly traceEvents: unknown[]
    }
    expect(chrome.traceEvents.length).toBeGreaterThan(20)
    for (const line of readFileSync(join(folder, "a.jsonl"), "utf8").trimEnd().split("\n"))
      expect(typeof JSON.parse(line)).toBe("object")
    expect(readdirSync(folder).filter((name) => name.endsWith(".part"))).toEqual([])
  })

  it("does not begin where the trace could not be written", async () => {
    const scenario = file("untraced.yaml", TINY)
    const { code, stdout, stderr } = await vericache(["simulate", scenario, "--trace", "x.perfetto"])
    expect([code, stdout]).toEqual([2, ""])
    expect(stderr).toBe("--trace x.perfetto: expected a name that ends in .pftrace, .json, .jsonl\n")
    const blocked = await vericache([
      "simulate",
      scenario,
      "-m",
      "full-kv",
      "--trace",
      "untraced.yaml/x.json"
    ])
    expect(blocked).toEqual({
      code: 2,
      stdout: "",
      stderr: "--trace untraced.yaml/x.json cannot be written: untraced.yaml is no folder\n"
    })
  })

  it("ends with 3 where an objective is missed, with the results", async () => {
    const goodput =
      "goodput: { ttft: { percentile: 99, at_most: 1 us }, e2el: { percentile: 100, at_most: 1 h } }\n"
    const { code, stdout, stderr } = await vericache(["simulate", file("missed.yaml", TINY + goodput)])
    expect(code).toBe(3)
    expect(stdout).toMatch(/TTFT p99 ≤ 1 µs: full-kv [\d.]+ m?s MISSED, /)
    expect(stdout).toMatch(/E2EL max ≤ 60 min: full-kv [\d.]+ m?s met, /)
    expect(stderr).toMatch(/^objective missed: TTFT p99 ≤ 1 µs; VeriCache takes [\d.]+ m?s\n$/)
  })

  it("ends with 4 where nothing fits, and says by how much and what would", async () => {
    const scenario = file(
      "big.yaml",
      TINY.replace("llama-3.1-8b", "llama-3.1-70b")
        .replace("h100-sxm", "rtx-4090")
        .replace(/ {2}- lossy[\s\S]*/, "")
    )
    const { code, stdout, stderr } = await vericache(["simulate", scenario])
    expect(code).toBe(4)
    expect(stdout).toMatch(/^No method fits\.$/m)
    for (const method of ["full-kv", "offloaded"])
      expect(stderr).toMatch(
        new RegExp(
          `^${method}: llama-3.1-70b on 1 × rtx-4090 needs [\\d.]+ GB, [\\d.]+ GB are there: [\\d.]+ GB short\\. tensor_parallel_size: 8 would fit`,
          "m"
        )
      )
    expect(stderr.trimEnd().split("\n")).toHaveLength(2)
  })

  it("compares with nothing where only the baseline does not fit", async () => {
    const scenario = file(
      "long.yaml",
      TINY.replace("h100-sxm", "rtx-4090")
        .replace("2k tokens", "60k tokens")
        .replace(/ {2}- lossy[\s\S]*/, "")
    )
    const { code, stdout, stderr } = await vericache(["simulate", scenario])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^offloaded serves [\d.,]+ tok\/s where full-kv does not fit\. /m)
    expect(stderr).toMatch(/^full-kv: the KV of one request of 61472 tokens needs [\d.]+ GB, /)
  })

  it("refuses a bad scenario with all its faults and writes nothing", async () => {
    const scenario = file(
      "bad.yaml",
      TINY.replace("requests: 6", "requests: six").replace("h100-sxm", "h100")
    )
    const { code, stdout, stderr } = await vericache(["simulate", scenario, "--trace", "bad.pftrace"])
    expect([code, stdout]).toEqual([2, ""])
    expect(stderr.split("\n").filter((line) => line.startsWith("bad.yaml"))).toEqual([
      expect.stringMatching(/^bad\.yaml:3:1: hardware: no h100 in the catalog; /),
      'bad.yaml:6:3: workload.requests: expected number, found "six"'
    ])
    expect(stderr).toMatch(/\n2 faults; nothing was run or written\n$/)
    expect(existsSync(join(folder, "bad.pftrace"))).toBe(false)
  })

  it("refuses kernel times that no such hardware could have", async () => {
    const catalog = join(ROOT, "scenarios", "catalog", "hardware", "h100-sxm.yaml")
    const tables =
      "tables: { source: wrong unit, basis: measured, dense: { tokens: [1, 256], seconds: [1.0e-9, 2.0e-9] } }"
    writeFileSync(join(folder, "fast.yaml"), `${readFileSync(catalog, "utf8")}\n${tables}\n`)
    writeFileSync(
      join(folder, "impossible.yaml"),
      "name: x\nmodel: llama-3.1-8b\nhardware: { profile: fast.yaml }\nworkload: { context: host, requests: 2, arrivals: { concurrency: 1 }, input: 2k tokens, output: 8 }\nmethods: [full-kv]\n"
    )
    const { code, stdout, stderr } = await vericache(["simulate", "impossible.yaml"])
    expect([code, stdout]).toEqual([2, ""])
    expect(stderr).toMatch(/^hardware h100-sxm: a pass of .* is below the physical floor/)
    expect(stderr.trimEnd().split("\n")).toHaveLength(1)
  })

  it("ends with 130 on Ctrl-C and leaves nothing behind", async () => {
    const scenario = file(
      "endless.yaml",
      TINY.replace("requests: 6", "requests: 100000000").replace("concurrency: 3", "concurrency: 64")
    )
    // Before Node has started there is nothing to interrupt but Node itself: then a later attempt counts.
    let ended = await vericache(["simulate", scenario, "--trace", "endless.pftrace"], 1500)
    for (let wait = 3000; ended.code === null && wait < 20_000; wait *= 2)
      ended = await vericache(["simulate", scenario, "--trace", "endless.pftrace"], wait)
    expect(ended).toEqual({ code: 130, stdout: "", stderr: "interrupted; no results were written\n" })
    expect(readdirSync(folder).filter((name) => name.startsWith("endless.pftrace"))).toEqual([])
  })
})

describe.concurrent("vericache validate, theory, schema, catalog", () => {
  it("validate says that a scenario is valid, or lists its faults", async () => {
    const [good, bad] = await Promise.all([
      vericache(["validate", file("valid.yaml", TINY)]),
      vericache(["validate", file("invalid.yaml", TINY.replace("output: 32", "outptu: 32"))])
    ])
    expect(good).toEqual({ code: 0, stdout: "valid.yaml: tiny, 4 methods; valid\n", stderr: "" })
    expect([bad.code, bad.stdout]).toEqual([2, ""])
    expect(bad.stderr).toMatch(/^invalid\.yaml:9:3: workload\.outptu: unknown field; did you mean output\?\n/)
  })

  it("theory says what methods share once", async () => {
    const scenario = file("theory.yaml", TINY)
    const [table, csv, json] = await Promise.all(
      ["table", "csv", "json"].map((format) => vericache(["theory", scenario, "-f", format]))
    )
    for (const one of [table, csv, json]) expect([one!.code, one!.stderr]).toEqual([0, ""])
    expect(table!.stdout.match(/^M .* weights/gm)).toHaveLength(1)
    expect(table!.stdout.match(/ speed-up over full KV /g)).toHaveLength(4)
    expect(table!.stdout.match(/HBM and link reach their full rate/g)).toHaveLength(1)
    // For programs every row is whole.
    expect(csv!.stdout.match(/,weights,/g)).toHaveLength(4)
    const { methods } = JSON.parse(json!.stdout) as { readonly methods: readonly { readonly name: string }[] }
    expect(methods.map(({ name }) => name)).toEqual(["full-kv", "offloaded", "lossy", "VeriCache"])
  })

  it("schema prints the file of this package", async () => {
    const { code, stdout } = await vericache(["schema"])
    expect(code).toBe(0)
    expect(stdout).toBe(readFileSync(join(ROOT, "scenarios", "schema.json"), "utf8"))
  })

  it("catalog lists each section in each format", async () => {
    const [all, table, jsonl, csv, md] = await Promise.all([
      vericache(["catalog", "-f", "json"]),
      vericache(["catalog", "hardware"]),
      vericache(["catalog", "models", "-f", "jsonl"]),
      vericache(["catalog", "compressors", "-f", "csv"]),
      vericache(["catalog", "drafters", "-f", "md"])
    ])
    const sections = JSON.parse(all.stdout) as Readonly<Record<string, readonly { readonly name: string }[]>>
    expect(Object.keys(sections)).toEqual(["hardware", "models", "compressors", "drafters"])
    const names = (section: string): readonly string[] => sections[section]!.map(({ name }) => name)
    const lines = ({ stdout }: Ended): readonly string[] => stdout.trimEnd().split("\n")
    const firstWords = (rows: readonly string[], word: RegExp): readonly string[] =>
      rows.map((row) => word.exec(row)?.[1] ?? row)
    expect(firstWords(lines(table).slice(2), /^(\S+)/)).toEqual(names("hardware"))
    expect(lines(jsonl).map((line) => (JSON.parse(line) as { readonly name: string }).name)).toEqual(
      names("models")
    )
    expect(firstWords(lines(csv).slice(1), /^([^,]+),/)).toEqual(names("compressors"))
    expect(firstWords(lines(md).slice(2), /^\| (\S+) \|/)).toEqual(names("drafters"))
  })
})

describe.concurrent("vericache itself", () => {
  it("helps and gives its version on stdout when asked", async () => {
    const [help, own, version] = await Promise.all([
      vericache(["--help"]),
      vericache(["simulate", "--help"]),
      vericache(["--version"])
    ])
    expect([help.code, help.stderr]).toEqual([0, ""])
    for (const command of ["simulate", "validate", "theory", "schema", "catalog"])
      expect(help.stdout).toMatch(new RegExp(`^ +${command} `, "m"))
    expect(own.stdout).toMatch(/--trace-limit/)
    const { version: published } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
      readonly version: string
    }
    expect(version).toEqual({ code: 0, stdout: `vericache v${published}\n`, stderr: "" })
  })

  it.each([
    [["frobnicate"], /Unknown subcommand "frobnicate"/],
    [["simulate"], /Missing required argument: file/],
    [["simulate", "--bogus", "x.yaml"], /Unrecognized flag: --bogus/],
    [["catalog", "wheels"], /wheels/],
    [["validate", "nowhere.yaml"], /^nowhere\.yaml:1:1: cannot be read/]
  ])("ends %j with 2, and says why on stderr alone", async (args, words) => {
    const { code, stdout, stderr } = await vericache(args)
    expect([code, stdout]).toEqual([2, ""])
    expect(stderr).toMatch(words)
  })
})
