/** Sweeps through the command line's machinery: threads, journal on disk, files of results. */
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync
} from "node:fs"
import { spawn } from "node:child_process"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { Effect, Result, Stream } from "effect"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { csvFormat } from "../../planning/files/csv.ts"
import { jsonlFormat } from "../../planning/files/jsonl.ts"
import type { Row } from "../../planning/files/table.ts"
import { evaluate, PointRunner } from "../../planning/points.ts"
import { WHOLE } from "../../planning/sweep/design.ts"
import { type JournalHeader, readJournal } from "../../planning/sweep/journal.ts"
import { loadSweep, type Sweep } from "../../planning/sweep/load-sweep.ts"
import { readCatalog, readFile } from "../files.ts"
import { pointWorkers } from "../points/pool.ts"
import { duration, SweepProgress } from "./eta.ts"
import { JournalFile } from "./journal-file.ts"
import { headerOf, MemoryStore, simulateMissing, Tally } from "./run-sweep.ts"

const SWEEP = `name: small
scenario:
  name: tiny
  model: llama-3.1-8b
  hardware: h100-sxm
  workload: { context: host, requests: 6, arrivals: { concurrency: 3 }, input: 2k tokens, output: 32 }
  methods: [full-kv, offloaded]
axes:
  - { field: hardware.hbm.capacity, name: memory, values: [12 GB, 80 GB] }
  - { field: engine.max_num_seqs, values: [1, 2, 0] }
replications: 2
`
const catalog = Effect.runSync(readCatalog)
const swept = (text: string): Sweep =>
  Result.getOrThrow(
    loadSweep(
      "small.yaml",
      (path) => (path === "small.yaml" ? new TextEncoder().encode(text) : undefined),
      catalog
    )
  )

let folder = ""
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "vericache-sweep-"))
})
afterAll(() => rmSync(folder, { recursive: true }))

const MAIN = join(import.meta.dirname, "..", "main.ts")

/** Runs `vericache …` in the scratch folder; it gets Ctrl-C as soon as `enough` says so. */
const vericache = (
  args: readonly string[],
  enough?: () => boolean
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [MAIN, ...args], {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NODE_COMPILE_CACHE: join(folder, "cache") }
    })
    let stdout = ""
    let stderr = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text))
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text))
    child.on("error", reject)
    child.on("close", (code) => resolve({ code, stdout, stderr }))
    const watch = async (enough: () => boolean): Promise<void> => {
      while (child.exitCode === null && !enough()) await delay(5)
      child.kill("SIGINT")
    }
    if (enough !== undefined) void watch(enough)
  })

/** A sweep in this process: its rows, one after the other. */
const rowsOf = async (sweep: Sweep, header: JournalHeader): Promise<readonly Row[]> => {
  const store = new MemoryStore()
  await Effect.runPromise(
    simulateMissing(sweep, header, store, { write: () => {} }).pipe(
      Effect.provide(PointRunner.inProcess(readFile, catalog))
    )
  )
  return store.rows()
}

describe("worker threads", () => {
  it("come to what one thread comes to, whatever their number", async () => {
    const sweep = swept(SWEEP)
    const header = headerOf(sweep, WHOLE, { theory: true, digest: true })
    const expected = await rowsOf(sweep, header)
    expect(expected.length).toBe(24)
    for (const workers of [1, 2]) {
      const store = new MemoryStore()
      await Effect.runPromise(
        simulateMissing(sweep, header, store, { write: () => {} }).pipe(Effect.provide(pointWorkers(workers)))
      )
      expect(store.rows()).toEqual(expected)
    }
    const tally = new Tally(header.columns)
    for (const row of expected) tally.add(row)
    expect([tally.simulated, tally.points]).toEqual([8, 24])
    expect(tally.words()).toMatch(
      /^8 simulated, 8 infeasible \(the first: full-kv: llama-3\.1-8b on 1 × h100-sxm needs 16\.\d GB, .*\), 8 invalid \(the first: engine\.max_num_seqs: expected a value between 1 and 1000000000, found 0\)$/
    )
  })

  it("serve several runs at once, and drop what nobody waits for any more", async () => {
    const { base } = swept(SWEEP)
    const point = { overrides: [], method: 0 }
    const both = await Effect.runPromise(
      Effect.gen(function* () {
        const runner = yield* PointRunner
        const first = yield* runner
          .run(
            base,
            Array.from({ length: 50 }, () => point)
          )
          .pipe(Stream.take(2), Stream.runCollect)
        const results = yield* Effect.all([evaluate(base, [point, point]), evaluate(base, [point])], {
          concurrency: "unbounded"
        })
        return [first.length, ...results.map(({ length }) => length)]
      }).pipe(Effect.provide(pointWorkers(2)))
    )
    expect(both).toEqual([2, 2, 1])
  })
})

describe("a journal on disk", () => {
  const sweep = swept(SWEEP)
  const header = headerOf(sweep, WHOLE, {})
  const row = (point: number) => [header.sweep, header.points, point, 1, "full-kv"]

  it("goes on from what is whole in it, and says what it mended", () => {
    const path = join(folder, "torn.journal")
    const first = new JournalFile(path, header)
    first.add(3, row(3))
    first.add(1, row(1))
    first.close()
    const whole = readFileSync(path)
    appendFileSync(path, whole.subarray(-40, -10))
    const second = new JournalFile(path, header)
    expect(second.mended).toBe(`${path}: cut off 30 bytes of a row that was not written to its end`)
    expect([...second.done].toSorted((a, b) => a - b)).toEqual([1, 3])
    expect(readFileSync(path)).toEqual(whole)
    second.add(0, row(0))
    const { size, rows } = second.rows()
    expect([size, [...rows]]).toEqual([3, [row(0), row(1), row(3)]])
    second.close()
    expect(new JournalFile(path, header).mended).toBeUndefined()
  })

  it("is refused where it belongs to something else", () => {
    const path = join(folder, "other.journal")
    new JournalFile(path, header).close()
    const other = headerOf(swept(SWEEP.replace("replications: 2", "replications: 3")), WHOLE, {})
    expect(() => new JournalFile(path, other)).toThrow(
      `${path} cannot be gone on with: the sweep file has changed; --restart begins anew`
    )
    expect(() => new JournalFile(path, { ...header, shard: { index: 2, count: 3 } })).toThrow(
      /it holds shard 1\/1/
    )
  })
})

describe("vericache sweep", () => {
  it("interrupted goes on where it was, and comes to the bytes of one that was not", async () => {
    const many = SWEEP.replace("replications: 2", "replications: 15")
    writeFileSync(join(folder, "small.yaml"), many)
    const journal = join(folder, "a.csv.journal")
    const kept = (): number => (existsSync(journal) ? readJournal(readFileSync(journal)).lines.size : 0)
    const interrupted = await vericache(["sweep", "small.yaml", "-o", "a.csv", "-w", "1"], () => kept() > 20)
    expect(interrupted.stderr).toMatch(
      /\d+ points are kept in a\.csv\.journal; the same command goes on from there/
    )
    expect([interrupted.code, existsSync(join(folder, "a.csv"))]).toEqual([130, false])
    const before = kept()
    const resumed = await vericache(["sweep", "small.yaml", "-o", "a.csv"])
    expect([resumed.code, resumed.stdout]).toEqual([0, ""])
    expect(resumed.stderr).toMatch(`${before} points are done already\n`)
    expect(resumed.stderr).toMatch(/^180 of 180 points {2}100 %/m)
    const sweep = swept(many)
    const header = headerOf(sweep, WHOLE, {})
    const whole = [...csvFormat.encode(header.columns, await rowsOf(sweep, header))].join("")
    expect(readFileSync(join(folder, "a.csv"), "utf8")).toBe(whole)
    expect(readdirSync(folder).filter((name) => name.startsWith("a.csv"))).toEqual(["a.csv"])
    const [again, changed] = await Promise.all([
      vericache(["sweep", "small.yaml", "-o", "a.csv"]),
      vericache(["sweep", "small.yaml", "-o", "a.csv", "--theory"])
    ])
    expect(again).toEqual({ code: 0, stdout: "", stderr: "a.csv is there already, with all 180 points\n" })
    expect(changed.code).toBe(2)
    expect(changed.stderr).toMatch(
      /^a\.csv is there already and holds other results .*; --restart replaces it\n$/
    )
  })

  it("is shared out by --shard and put together by merge", async () => {
    writeFileSync(join(folder, "few.yaml"), SWEEP.replace("small", "few"))
    const [one, two] = await Promise.all([
      vericache(["sweep", "few.yaml", "-o", "1.jsonl", "--shard", "1/2"]),
      vericache(["sweep", "few.yaml", "-o", "2.csv", "--shard", "2/2"])
    ])
    expect([one.code, two.code]).toEqual([0, 0])
    const [merged, judged, missing] = await Promise.all([
      vericache(["merge", "2.csv", "1.jsonl", "-o", "merged.jsonl"]),
      vericache(["merge", "2.csv", "1.jsonl", "-o", "judged.jsonl", "--fail-on", "tokens_per_s > 0"]),
      vericache(["merge", "2.csv", "2.csv", "-o", "not.jsonl"])
    ])
    expect([merged.code, merged.stdout]).toEqual([0, ""])
    expect(merged.stderr).toMatch(/^merged\.jsonl: 8 simulated, /)
    const sweep = swept(SWEEP.replace("small", "few"))
    const header = headerOf(sweep, WHOLE, {})
    const whole = [...jsonlFormat.encode(header.columns, await rowsOf(sweep, header))].join("")
    expect(readFileSync(join(folder, "merged.jsonl"), "utf8")).toBe(whole)
    expect(judged.code).toBe(3)
    expect(judged.stderr).toContain("fail-on tokens_per_s > 0: 8 points, the first of them point ")
    expect(readFileSync(join(folder, "judged.jsonl"), "utf8")).toBe(whole)
    expect(missing.code).toBe(2)
    expect(missing.stderr).toMatch(/12 of 24 points are missing: .*\nnothing was written\n$/)
    expect(existsSync(join(folder, "not.jsonl"))).toBe(false)
  })

  it("prints a table without a file, and refuses what it could not do", async () => {
    writeFileSync(join(folder, "tiny.yaml"), SWEEP)
    const [table, shard] = await Promise.all([
      vericache(["sweep", "tiny.yaml"]),
      vericache(["sweep", "tiny.yaml", "--shard", "0/2"])
    ])
    expect(table.code).toBe(0)
    expect(table.stdout).toMatch(/^point {2}memory {2}engine\.max_num_seqs {2}seed {2}method .* limited by\n/)
    expect(table.stdout).toMatch(/^ +23 {3}80 GB {2}.* invalid: engine\.max_num_seqs: expected .* found 0$/m)
    expect([shard.code, shard.stderr]).toEqual([
      2,
      "--shard 0/2: expected i/n, the i-th of n parts, counted from 1: 1/4 to 4/4\n"
    ])
  })
})

describe("progress", () => {
  it("counts what this run has done for how long the rest will take", () => {
    const written: string[] = []
    const stream = {
      isTTY: false,
      write: (text: string) => written.push(text)
    } as unknown as NodeJS.WriteStream
    let now = 0
    const progress = new SweepProgress(stream, 100, 50, () => now)
    for (let done = 51; done <= 100; done++) {
      now += 500
      progress.at(done)
    }
    expect(written[0]).toBe("60 of 100 points  60 %  2/s, 20 s left\n")
    expect([written.length, written.at(-1)]).toEqual([5, "100 of 100 points  100 %  2/s\n"])
  })

  it("says durations as people do", () => {
    expect([0.2, 59, 61, 3600, 7900].map(duration)).toEqual([
      "1 s",
      "59 s",
      "1 min 1 s",
      "1 h 0 min",
      "2 h 11 min"
    ])
  })
})
