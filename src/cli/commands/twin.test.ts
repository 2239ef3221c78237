/** The twin of recorded runs, as a user goes: simulate with a trace, compare, calibrate, compare again. */
import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"

const ROOT = join(import.meta.dirname, "..", "..", "..")
let folder = ""
const vericache = (line: string) => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(ROOT, "src", "cli", "main.ts"), ...line.split(" ")],
    { cwd: folder, encoding: "utf8" }
  )
  return { status, stdout, stderr }
}

interface TwinJson {
  readonly replayed: readonly { readonly same: boolean; readonly where?: string }[]
  readonly step_time: { readonly every: { readonly count: number; readonly p90Error: number } }
  readonly methods: readonly {
    readonly contrasts: readonly { readonly predicted: number; readonly measured: number }[]
    readonly residuals: readonly {
      readonly what: string
      readonly ratio: number
      readonly p90Error: number
    }[]
    readonly explained: readonly { readonly assumption: string; readonly explains: number }[]
  }[]
}

describe("twin", () => {
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "vericache-twin-"))
    const text = readFileSync(join(ROOT, "scenarios", "paper", "worked-example.yaml"), "utf8")
    writeFileSync(join(folder, "right.yaml"), text)
    const slow = "hardware: { extends: $1, link: { host_to_device: 5 GB/s } }"
    const tolerance = "tolerance: { throughput: 0.05, step_time_median: 0.05, step_time_p90: 0.15 }"
    writeFileSync(join(folder, "wrong.yaml"), `${text.replace(/^hardware: (.*)$/m, slow)}\n${tolerance}\n`)
    vericache("simulate right.yaml --trace run.jsonl")
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  it("finds nothing apart between a run and itself", () => {
    const { status, stdout } = vericache("twin right.yaml --replay run.jsonl -f json")
    expect(status).toBe(0)
    const { replayed, methods, step_time: stepTime } = JSON.parse(stdout) as TwinJson
    expect(stepTime.every.count).toBeGreaterThan(0)
    expect(stepTime.every.p90Error).toBeLessThan(1e-5)
    expect(replayed).toMatchObject([{ same: true }])
    const { contrasts, residuals } = methods[0]!
    for (const { predicted, measured } of contrasts) expect(predicted / measured).toBeCloseTo(1, 6)
    for (const { ratio, p90Error } of residuals) {
      expect(ratio).toBeCloseTo(1, 5)
      expect(p90Error).toBeLessThan(1e-5)
    }
  })

  it("refuses fewer warm-ups than none", () => {
    const { status, stdout, stderr } = vericache("twin right.yaml --num-warmups=-1")
    expect([status, stdout]).toEqual([2, ""])
    expect(stderr).toContain("--num-warmups -1: expected 0 or more requests")
  })

  it("says which assumption is wrong, and ends with exit code 3 beyond the tolerance", () => {
    const { status, stdout, stderr } = vericache("twin wrong.yaml --replay run.jsonl -f json")
    expect(status).toBe(3)
    expect(stderr).toMatch(/throughput is \d+\.\d % off; at most 5\.0 % is tolerated/)
    const { explained, residuals } = (JSON.parse(stdout) as TwinJson).methods[0]!
    const most = explained.reduce((a, b) => (Math.abs(b.explains) > Math.abs(a.explains) ? b : a))
    expect(most.assumption).toBe("how long transfers take")
    expect(Math.abs(explained.at(-1)!.explains)).toBeLessThan(0.02)
    expect(residuals.find(({ what }) => what === "all passes")!.p90Error).toBeLessThan(0.02)
  })

  it("follows a recorded run, and answers questions about the machine as the run left it", () => {
    const { status, stdout } = vericache(
      "twin right.yaml --replay run.jsonl --online --what-if window=8 --what-if link=0.1 -f json"
    )
    expect(status).toBe(0)
    const { live } = JSON.parse(stdout) as {
      readonly live: readonly {
        readonly parts: readonly { readonly part: string; readonly standing: string }[]
        readonly what_if: readonly {
          readonly tokens_per_s_now: number
          readonly tokens_per_s_changed: number
        }[]
      }[]
    }
    expect(live[0]!.parts.map(({ part }) => part)).toEqual(["passes", "host to device", "device to host"])
    expect(live[0]!.parts[0]!.standing).toBe("current")
    const [window, link] = live[0]!.what_if
    expect(window!.tokens_per_s_changed).not.toBe(window!.tokens_per_s_now)
    expect(link!.tokens_per_s_changed).toBeLessThan(0.6 * link!.tokens_per_s_now)
    expect(vericache("twin right.yaml --replay run.jsonl --what-if windw=8")).toMatchObject({
      status: 2,
      stdout: "",
      stderr: expect.stringMatching(/windw=8: expected window.*\n.*without --online/) as string
    })
  })

  it("says where a run took another path than its scenario takes", () => {
    const text = readFileSync(join(folder, "right.yaml"), "utf8")
    writeFileSync(join(folder, "other.yaml"), text.replace(/window: \d+/, "window: 5"))
    const { stdout } = vericache("twin other.yaml --replay run.jsonl")
    expect(stdout).toMatch(/0 of 1 run replayed .*\n.*: another path at .* is asked for \d+/)
  })

  it("takes several runs of a method for repetitions, and says how well one predicts another", () => {
    const again = "twin right.yaml --replay run.jsonl --replay run.jsonl"
    const { methods } = JSON.parse(vericache(`${again} -f json`).stdout) as {
      readonly methods: readonly {
        readonly tokens_per_s: { readonly repetitions: readonly number[] }
        readonly noise_floor: readonly { readonly what: string; readonly p90Error: number }[]
      }[]
    }
    expect(methods.length).toBe(1)
    expect(methods[0]!.tokens_per_s.repetitions.length).toBe(2)
    expect(methods[0]!.noise_floor.find(({ what }) => what === "all passes")!.p90Error).toBe(0)
    expect(vericache(again).stdout).toContain("by a repetition: p50")
    expect(vericache("twin right.yaml --replay run.jsonl -n 3")).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("give one trace for each") as string
    })
    expect(vericache("twin right.yaml -n 0").status).toBe(2)
  })

  it("has calibrate take acceptance from the same runs, for scenarios to name", () => {
    const { status, stdout } = vericache(
      "calibrate --from run.jsonl --scenario right.yaml --acceptance accepted.yaml"
    )
    expect(status).toBe(0)
    expect(stdout).toMatch(/acceptance of .* in the mean of \d+ rounds/)
    const [, entry] = readFileSync(join(folder, "accepted.yaml"), "utf8").split("- ")
    const { basis, curve } = JSON.parse(entry!) as {
      readonly basis: string
      readonly curve: readonly number[]
    }
    expect(basis).toBe("modelled")
    expect(curve[0]!).toBeGreaterThan(0.5)
  })

  it("repeats the mark of a software adapter's profile in every form of a simulation", () => {
    const soft = join(ROOT, "scenarios", "twin", "embedded.yaml")
    for (const format of ["table", "md"])
      expect(vericache(`simulate ${soft} -f ${format}`).stdout.replaceAll(/\s+/g, " ")).toContain(
        "software adapter: no evidence of GPU speed"
      )
    const rows = vericache(`simulate ${soft} -f jsonl`).stdout.trim().split("\n")
    const caveats = "software adapter: no evidence of GPU speed"
    for (const row of rows) expect(JSON.parse(row)).toMatchObject({ caveats, basis: "modelled" })
    const [titles, first] = vericache(`simulate ${soft} -f csv`).stdout.split("\n")
    expect(first!.split(",")[titles!.split(",").indexOf("caveats")]).toBe(caveats)
    const { methods } = JSON.parse(vericache(`simulate ${soft} -f json`).stdout) as {
      readonly methods: object[]
    }
    for (const method of methods) expect(method).toMatchObject({ caveats: [caveats] })
  })

  it("names the file and line of a broken recording, and the scenario that did not run it", () => {
    writeFileSync(join(folder, "cut.jsonl"), readFileSync(join(folder, "run.jsonl"), "utf8").slice(0, 5000))
    expect(vericache("twin right.yaml --replay cut.jsonl")).toMatchObject({ status: 2, stdout: "" })
    expect(vericache("twin right.yaml --replay cut.jsonl").stderr).toMatch(/cut\.jsonl:\d+:\d+: expected/)
    expect(vericache("twin right.yaml --replay none.jsonl").stderr).toContain("none.jsonl")
  })
})
