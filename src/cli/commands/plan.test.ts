/** `vericache plan` as a build would use it. */
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"

const MAIN = join(import.meta.dirname, "..", "main.ts")
const PLAN = `name: a card or two
model: llama-3.1-8b
workload: { context: prefill, requests: 24, arrivals: { rate: 1 }, input: 512, output: 16 }
goodput: { ttft: { percentile: 95, at_most: 2 s } }
candidates: { hardware: [h100-sxm], tensor_parallel_size: [1], methods: [full-kv], max_num_seqs: [8] }
`

let folder = ""
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "vericache-plan-"))
  writeFileSync(join(folder, "plan.yaml"), PLAN)
})
afterAll(() => rmSync(folder, { recursive: true }))

const plan = (...words: readonly string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, "plan", "plan.yaml", ...words], {
    cwd: folder,
    encoding: "utf8"
  })
  return { status, stdout, stderr }
}

describe("plan --fail-on", () => {
  it("ends with 3 and says by which figure of the answer, which is printed all the same", () => {
    expect(plan("--fail-on", "ttft_p99 > 30 s")).toMatchObject({ status: 0 })
    const { status, stdout, stderr } = plan("--fail-on", "ttft_p99 > 1 us", "--json")
    expect(status).toBe(3)
    expect(JSON.parse(stdout)).toHaveProperty("answer")
    expect(stderr).toMatch(/fail-on ttft_p99 > 1 us: the answer, .*s/)
  })

  it("refuses conditions about a change before anything is simulated", () => {
    expect(plan("--fail-on", "throughput < -2%")).toMatchObject({
      status: 2,
      stdout: "",
      stderr: expect.stringContaining("nothing to compare with here") as string
    })
  })
})
