/**
 * Measured vLLM runs against the simulator, through the command line as a user would go: import the run, calibrate a profile
 * from kernel times of the same card, simulate, compare.
 *   node scripts/validate-vllm-runs.ts FOLDER
 * The folder has vllm-runs/RUN/{requests.jsonl,meta.json} and kernel-profiles/PROFILE/{dense,attention,per_sequence}.csv.
 */
import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const RUNS = [
  {
    run: "rtx4090-llama-3.1-8b",
    profile: "rtx4090-llama-3.1-8b-tp1",
    model: "llama-3.1-8b",
    hardware: "rtx-4090",
    ranks: 1
  },
  {
    run: "rtxpro6000x2-qwen3-32b",
    profile: "rtxpro6000-qwen3-32b-tp2",
    model: "qwen3-32b",
    hardware: "rtx-pro-6000",
    ranks: 2
  }
]

const LEVELS = ["catalog", "fitted shares", "tables", "fitted shares and the run", "tables and the run"]

const folder = process.argv[2]
if (folder === undefined) throw new Error("usage: validate-vllm-runs.ts FOLDER")
const CLI = join(import.meta.dirname, "..", "src", "cli", "main.ts")
const vericache = (...words: readonly string[]): string =>
  execFileSync(process.execPath, [CLI, ...words], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })

const work = mkdtempSync(join(tmpdir(), "validate-"))
try {
  for (const { run, profile, model, hardware, ranks } of RUNS) {
    const log = join(folder, "vllm-runs", run, "requests.jsonl")
    const meta = join(folder, "vllm-runs", run, "meta.json")
    const from = ["dense", "attention", "per_sequence"].flatMap((name) => [
      "--from",
      join(folder, "kernel-profiles", profile, `${name}.csv`)
    ])
    const scenario = join(work, "run.yaml")
    const calibrated = join(work, "profile.yaml")
    // The run itself is fitted to only where the level says so.
    for (const kind of LEVELS) {
      const as = (used: string): string =>
        vericache("import", log, "--meta", meta, "--model", model, "--hardware", used, "-o", scenario)
      as(hardware)
      if (kind !== "catalog") {
        const tables = kind.includes("tables") ? [] : ["--no-tables"]
        const toRun = kind.endsWith("the run") ? ["--from", log, "--scenario", scenario] : []
        const found = vericache(
          "calibrate",
          ...from,
          ...toRun,
          "--base",
          hardware,
          "--model",
          model,
          "--tensor-parallel-size",
          String(ranks),
          ...tables,
          "-o",
          calibrated
        )
        console.log(found)
        as(calibrated)
      }
      console.log(`${run}, ${kind}`)
      console.log(vericache("simulate", scenario, "-f", "md", "--measured", log).split("\n\n").at(-1))
    }
  }
} finally {
  rmSync(work, { recursive: true })
}
