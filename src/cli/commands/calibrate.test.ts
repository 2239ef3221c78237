/** From a log and kernel times to a comparison, as a user goes: import, calibrate, simulate --measured. */
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"

const MAIN = join(import.meta.dirname, "..", "main.ts")
let folder = ""
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "vericache-calibrate-"))
})
afterAll(() => rmSync(folder, { recursive: true }))

const vericache = (line: string) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...line.split(" ")], {
    cwd: folder,
    encoding: "utf8"
  })
  return { status, stdout, stderr }
}
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text)
  return name
}

/** Twelve requests that came one a second and were served in half a second and 10 ms a token. */
const LOG = Array.from({ length: 12 }, (_, i) =>
  JSON.stringify({
    request_id: `r${i}`,
    input_toks: 500,
    output_toks: 21,
    arrival_time: 1000 + i,
    queued_ts: i,
    scheduled_ts: i,
    first_token_ts: i + 0.5,
    last_token_ts: i + 0.7
  })
).join("\n")

/** Linear layers of Llama 3.1 8B at half the bandwidth of an H100. */
const DENSE = `layer,tokens,time_us\n${Object.entries({
  qkv_proj: 4096 * 6144,
  o_proj: 4096 * 4096,
  gate_up_proj: 4096 * 28_672,
  down_proj: 14_336 * 4096
})
  .flatMap(([layer, weights]) =>
    [1, 8, 32].map((tokens) => `${layer},${tokens},${(2 * weights) / (3.35e12 / 2) / 1e-6}`)
  )
  .join("\n")}\n`

describe("calibrate", () => {
  it("goes from a log and kernel times to residuals beside a simulation", () => {
    file("requests.jsonl", LOG)
    file("dense.csv", DENSE)
    file("meta.json", JSON.stringify({ vllm_version: "0.19.0", engine_kwargs: { max_num_seqs: 4 } }))
    const calibrated = vericache("calibrate dense.csv --base h100-sxm --model llama-3.1-8b -o mine.yaml")
    expect(calibrated).toMatchObject({ status: 0 })
    expect(calibrated.stdout).toMatch(/matmul +0\.5\d\d/)
    const imported = vericache(
      "import requests.jsonl --meta meta.json --model llama-3.1-8b --hardware mine.yaml -o run.yaml"
    )
    expect(imported).toMatchObject({ status: 0, stdout: "" })
    expect(imported.stderr).toContain("12 requests over 11 s")
    expect(readFileSync(join(folder, "run.yaml"), "utf8")).toContain("async_scheduling: true")
    const compared = vericache("simulate run.yaml --measured requests.jsonl")
    expect(compared).toMatchObject({ status: 0 })
    expect(compared.stdout).toMatch(/full-kv +TPOT +p50 +10 ms/)
    expect(compared.stdout).toContain("calibrated from dense.csv")
  })

  it("refits the hardware of a scenario to recorded runs of it", () => {
    const scenario = join(import.meta.dirname, "..", "..", "..", "scenarios", "paper", "worked-example.yaml")
    const text = readFileSync(scenario, "utf8")
    file(
      "slow.yaml",
      text.replace(/^hardware: (.*)$/m, "hardware: { extends: $1, link: { host_to_device: 20 GB/s } }")
    )
    file("usual.yaml", text)
    expect(vericache("simulate slow.yaml --trace slow.jsonl")).toMatchObject({ status: 0 })
    const refitted = vericache("calibrate slow.jsonl --scenario usual.yaml -o refitted.yaml")
    expect(refitted).toMatchObject({ status: 0 })
    expect(refitted.stdout).toContain("link.host_to_device: 20 GB/s")
    expect(refitted.stdout).toContain("modelled, not measured")
    file("mine.yaml", text.replace(/^hardware: .*$/m, "hardware: { profile: refitted.yaml }"))
    expect(vericache("validate mine.yaml")).toMatchObject({ status: 0 })
  })

  it("says where a trace goes wrong, and what it needs beside it", () => {
    file("cut.jsonl", '{"format":"vericache-trace","version":2,"meta":{},"dropped":0}\n')
    expect(vericache("calibrate cut.jsonl").stderr).toContain("say --scenario")
    const { status, stderr } = vericache("calibrate cut.jsonl --scenario usual.yaml -o no.yaml")
    expect(status).toBe(2)
    expect(stderr).toMatch(/cut\.jsonl:1:\d+: expected in the metadata/)
    expect(existsSync(join(folder, "no.yaml"))).toBe(false)
  })

  it("refuses files that say nothing of hardware, all of them with the reason, and writes nothing", () => {
    file("workload.csv", "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.68,5,2\n")
    file("other.csv", "a,b\n1,2\n")
    const { status, stderr } = vericache("calibrate workload.csv other.csv --base h100-sxm -o no.yaml")
    expect(status).toBe(2)
    expect(stderr).toContain("workload.csv:1:1: Azure CSV without measured latencies")
    expect(stderr).toContain("other.csv:1:1: expected a workload or a measured run")
    expect(stderr).toContain("2 faults")
    expect(existsSync(join(folder, "no.yaml"))).toBe(false)
  })

  it("refuses layers that are faster than the card can be, and asks for the ranks they were split over", () => {
    // A quarter of the time: as four ranks take together.
    const split = DENSE.replace(/[\d.e+-]+$/gm, (time) => String(Number(time) / 4))
    file("split.csv", split)
    const { status, stderr } = vericache(
      "calibrate split.csv --base h100-sxm --model llama-3.1-8b -o split.yaml"
    )
    expect(status).toBe(2)
    expect(stderr).toContain("faster than h100-sxm can be")
    expect(stderr).toContain("--tensor-parallel-size 2")
    expect(existsSync(join(folder, "split.yaml"))).toBe(false)
    expect(
      vericache("calibrate split.csv --base h100-sxm --model llama-3.1-8b --tensor-parallel-size 4")
    ).toMatchObject({ status: 0 })
  })

  it("takes the link of a group from the output of nccl-tests", () => {
    const sizes = [4096, 65_536, 1_048_576, 4_194_304, 16_777_216, 33_554_432]
    const rows = sizes.map((bytes) => {
      const time = 20 + bytes / 25e3
      const rate = (bytes / time / 1e3).toFixed(2)
      return `${bytes} ${bytes / 4} float sum -1 ${time.toFixed(2)} ${rate} ${rate} 0 ${time.toFixed(2)} ${rate} ${rate} 0`
    })
    const head =
      "#  Rank  0 Group  0 Pid 1 on a device  0\n#  Rank  1 Group  0 Pid 1 on a device  1\n# size count type redop root time algbw busbw #wrong\n"
    file("nccl.txt", `${head}${rows.join("\n")}\n`)
    const { status, stdout } = vericache("calibrate nccl.txt --base h100-sxm -o link.yaml")
    expect(status).toBe(0)
    expect(stdout).toMatch(/interconnect (25|24\.9|25\.1) GB\/s and (20|19\.9|20\.1) µs: fitted to 3 sizes/)
    expect(readFileSync(join(folder, "link.yaml"), "utf8")).toMatch(
      /interconnect:\n +bandwidth: 2[45]\d+\n +latency: 0\.0000(2|19)/
    )
  })

  it("writes scenarios that name files from where they lie, and nothing over what it reads", () => {
    file("lengths.jsonl", '{"prompt_len":100,"output_len":10}\n{"prompt_len":200,"output_len":20}\n')
    file("card.yaml", "extends: h100-sxm\n")
    mkdirSync(join(folder, "below"))
    const options = "--rate 2 --model config.json --hardware card.yaml"
    expect(vericache(`import lengths.jsonl ${options} -o lengths.yaml`)).toMatchObject({ status: 2 })
    expect(readFileSync(join(folder, "lengths.jsonl"), "utf8")).toContain("prompt_len")
    expect(vericache(`import lengths.jsonl ${options} -o below/run.yaml`)).toMatchObject({ status: 0 })
    const scenario = readFileSync(join(folder, "below", "run.yaml"), "utf8")
    expect(scenario).toContain('config: "../config.json"')
    expect(scenario).toContain('profile: "../card.yaml"')
    file("config.json", JSON.stringify({ model_type: "llama", hidden_size: 8 }))
    expect(vericache("import config.json").stderr).toContain("a Hugging Face config.json is a model")
  })
})
