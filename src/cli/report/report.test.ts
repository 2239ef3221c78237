/** Reports as a shell sees them: written by a command, made again by `rerun`. */
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { textsOf } from "../../planning/report/well-formed.fixture.ts"

const MAIN = join(import.meta.dirname, "..", "main.ts")

const ACCEPTANCE = "acceptance: { alpha: 0.95, source: a test, basis: assumed }"
const TINY = `extends: shared/base.yaml
name: tiny <&> "quoted"
methods:
  - full-kv
  - name: VeriCache </pre>
    vericache: { compressor: kvzip, keep: 0.2, window: 8, ${ACCEPTANCE} }
`
const BASE = `name: base
model: llama-3.1-8b
hardware: h100-sxm
workload: { context: host, requests: 4, arrivals: { concurrency: 2 }, input: 2k tokens, output: 16 }
goodput: { ttft: { percentile: 99, at_most: 1 µs } }
`
const SWEEP = `name: links
scenario: ../tiny.yaml
axes:
  - { field: hardware.link.host_to_device, name: link, values: [12 GB/s, 25 GB/s, 50 GB/s] }
  - { field: workload.input, name: context, values: [1k, 2k] }
`

let folder = ""
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "vericache-report-"))
  for (const name of ["shared", "sweeps", "elsewhere"]) mkdirSync(join(folder, name))
  writeFileSync(join(folder, "tiny.yaml"), TINY)
  writeFileSync(join(folder, "shared", "base.yaml"), BASE)
  writeFileSync(join(folder, "sweeps", "links.yaml"), SWEEP)
  vericache(".", "simulate", "tiny.yaml", "-m", "full-kv", "--report", "sound.md")
})
afterAll(() => rmSync(folder, { recursive: true }))

const vericache = (where: string, ...args: readonly string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    cwd: join(folder, where),
    encoding: "utf8",
    // Node starts a third faster where it has compiled the same files before.
    env: { ...process.env, NODE_COMPILE_CACHE: join(folder, "compiled") }
  })
  return { code: status, stdout, stderr }
}

const text = (name: string): string => readFileSync(join(folder, name), "utf8")

describe("a report of a simulation", () => {
  it("holds what the screen says, and is made again from nothing but itself", () => {
    const first = vericache(".", "simulate", "tiny.yaml", "--report", "elsewhere/tiny.html")
    // The objective is missed, and the report is there all the same.
    expect([first.code, first.stderr.split("\n")[0]]).toEqual([3, "report: elsewhere/tiny.html"])
    const page = text("elsewhere/tiny.html")
    const texts = textsOf(page)
    expect(texts).toContain('tiny <&> "quoted"')
    for (const cell of first.stdout.match(/^full-kv .*$/m)![0].split(/ {2,}/)) expect(texts).toContain(cell)

    const again = vericache("elsewhere", "rerun", "tiny.html", "--report", "again.html")
    expect(again.stdout).toBe(first.stdout)
    expect([again.code, again.stderr]).toEqual([
      3,
      expect.stringMatching(/^report: .*again\.html\nthe same results: [0-9a-f]{16}\nobjective missed: /)
    ])
    expect(text("elsewhere/again.html")).toBe(page)
  })

  it("is one of the same method, seed and format in Markdown", () => {
    const args = ["--method=full-kv", "--seed=7", "--format=csv"]
    const first = vericache("sweeps", "simulate", "../tiny.yaml", ...args, "--report=../elsewhere/one.md")
    expect([first.code, first.stdout.split("\n").length]).toEqual([3, 3])
    const again = vericache("elsewhere", "rerun", "one.md")
    expect([again.code, again.stdout]).toEqual([first.code, first.stdout])
    expect(again.stderr).not.toContain("report:")
  })

  it("is not run by another version, or changed, unless it is forced", () => {
    const sound = text("sound.md")
    writeFileSync(join(folder, "older.md"), sound.replace(/"version": "[^"]*"/, '"version": "0.0.1"'))
    const refused = vericache(".", "rerun", "older.md")
    expect([refused.code, refused.stdout]).toEqual([2, ""])
    expect(refused.stderr).toMatch(/written by vericache 0\.0\.1, this is \d.*--force/)
    expect(vericache(".", "rerun", "older.md", "--force").stderr).toContain("the same results")

    writeFileSync(join(folder, "other.md"), sound.replace(/"results": "[^"]*"/, '"results": "0"'))
    const other = vericache(".", "rerun", "other.md")
    expect([other.code, other.stderr]).toEqual([3, expect.stringContaining("the results are others")])

    writeFileSync(join(folder, "edited.md"), sound.replace("requests: 4, arrivals", "requests: 5, arrivals"))
    expect(vericache(".", "rerun", "edited.md").stderr).toContain("was changed within the report")
  })

  it("writes nowhere but where it is told, whatever a manifest says", () => {
    const changed = (from: string, to: string): string => {
      writeFileSync(join(folder, "unsound.md"), text("sound.md").replaceAll(from, to))
      const { code, stderr } = vericache(".", "rerun", "unsound.md")
      return `${code}: ${stderr}`
    }
    const trace = join(folder, "planted.json")
    expect(changed('"--format=table"', `"--trace=${trace}"`)).toMatch(/^2: .*no report that vericache writes/)
    expect(changed('"shared/base.yaml"', '"shared/../../../planted.json"')).toMatch(/^[23]: /)
    expect(existsSync(trace)).toBe(false)
  })

  it("is refused before anything runs where it could not be written", () => {
    const { code, stdout, stderr } = vericache(".", "simulate", "tiny.yaml", "--report", "x.pdf")
    expect([code, stdout, stderr]).toEqual([
      2,
      "",
      "--report x.pdf: expected a name that ends in .html or .md\n"
    ])
  })
})

describe("a report of a sweep", () => {
  it("holds its rows, and its results are made again byte for byte", () => {
    const args = ["sweep", join(folder, "sweeps", "links.yaml"), "-o", "links.parquet", "--workers=1"]
    const first = vericache(".", ...args, "--report=links.html")
    expect([first.code, first.stdout]).toEqual([0, ""])
    const texts = textsOf(text("links.html"))
    expect(texts).toEqual(expect.arrayContaining(["links", "12 GB/s", "VeriCache </pre> over full-kv"]))

    const again = vericache("elsewhere", "rerun", "../links.html", "-o", "again.csv", "--report=links.html")
    expect(again.stderr).toMatch(/the same results: [0-9a-f]{16}\n$/)
    expect(text("elsewhere/links.html")).toBe(text("links.html"))
    // From results that are there already the report is written without a simulation.
    const later = vericache(".", ...args, "--report=later.html")
    expect(later.stderr).toContain("is there already, with all 12 points")
    expect(text("later.html")).toBe(text("links.html"))
  })
})
