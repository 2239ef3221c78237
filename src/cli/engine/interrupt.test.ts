/** Ctrl-C while the engine runs: the command ends at once, says so in words, and leaves nothing behind. */
import { spawn } from "node:child_process"
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Fiber } from "effect"
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest"
import { snapkv } from "../../engine/compressors/drop.ts"
import { softwareDevice, tinyCheckpoint } from "../../engine/engine.fixture.ts"
import { generate } from "../../engine/generate.ts"
import { GREEDY } from "../../engine/kernels/choose.ts"

const root = join(import.meta.dirname, "..", "..", "..")
const MODEL = join(root, "models", "vericache-1m")
let folder = ""

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "vericache-interrupt-"))
  // More requests at once than the engine has places for: it says so when it begins to run.
  writeFileSync(
    join(folder, "many.yaml"),
    `name: many
model: { config: ${JSON.stringify(join(MODEL, "config.json"))} }
hardware: { profile: ${JSON.stringify(join(root, "scenarios/twin/profiles/software-adapter.yaml"))} }
engine: { max_num_seqs: 65, num_gpu_blocks_override: 512, reserved: 0 B, enable_prefix_caching: false }
workload: { context: prefill, requests: 65, arrivals: { concurrency: 65 }, input: 64, output: 32 }
methods: [full-kv]
`
  )
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Runs a command until it has told `sign` on either stream, sends SIGINT, and waits for its end. */
const interrupted = (flags: readonly string[], sign: string | RegExp) =>
  new Promise<{ readonly code: number | null; readonly out: string; readonly told: string }>((ended) => {
    const child = spawn(
      process.execPath,
      ["--import", "./scripts/wgsl.ts", "src/cli/main.ts", ...flags, "--adapter", "software"],
      { cwd: root }
    )
    let [out, told] = ["", ""]
    const look = (): void => {
      const seen = typeof sign === "string" ? told.includes(sign) : sign.test(out)
      if (seen && !child.killed) child.kill("SIGINT")
    }
    child.stdout.on("data", (chunk: Buffer) => {
      out += chunk.toString()
      look()
    })
    child.stderr.on("data", (chunk: Buffer) => {
      told += chunk.toString()
      look()
    })
    child.on("close", (code) => ended({ code, out, told }))
  })

describe("Ctrl-C", () => {
  it("ends generate after the text so far, without a trace file", async () => {
    const trace = join(folder, "run.jsonl")
    const flags = ["generate", "import os\nimport sys\n", "--max-tokens", "2000", "--trace", trace]
    const { code, out, told } = await interrupted(flags, /\w/)
    expect(code).toBe(130)
    expect(told.trim().split("\n").at(-1)).toBe("interrupted; no results were written")
    expect(told).not.toMatch(/^\s+at /m)
    expect(out).toMatch(/\n$/)
    expect(out).not.toContain("identical to full KV")
    expect(readdirSync(folder)).toEqual(["many.yaml"])
  })

  it.each(["run", "twin"])("ends %s without results", async (command) => {
    const trace = command === "run" ? ["--trace", join(folder, "run.pftrace")] : []
    const { code, out, told } = await interrupted(
      [command, join(folder, "many.yaml"), ...trace],
      "64 requests at once in place of 65"
    )
    expect([code, out]).toEqual([130, ""])
    expect(told.trim().split("\n").at(-1)).toBe("interrupted; no results were written")
    expect(told).not.toMatch(/^\s+at /m)
    expect(readdirSync(folder)).toEqual(["many.yaml"])
  })

  it("closes what the engine has on the device", async () => {
    const { gpu, device } = await softwareDevice()
    const share = vi.spyOn(device, "share")
    let committed = 0
    const fiber = Effect.runFork(
      generate({
        gpu,
        device,
        checkpoint: tinyCheckpoint(3),
        prompt: Array.from({ length: 40 }, (_, i) => i),
        maxTokens: 200,
        sampling: GREEDY,
        compressor: snapkv,
        keep: 0.5,
        window: 4,
        kvBits: 16,
        stopTokens: [],
        onCommit: () => {
          committed++
          if (committed === 3) fiber.interruptUnsafe()
        }
      })
    )
    await Effect.runPromise(Fiber.await(fiber))
    const engines = share.mock.results.map(({ value }) => value as typeof device)
    share.mockRestore()
    expect(committed).toBeLessThan(10)
    expect(engines).toHaveLength(1)
    expect(engines[0]!.allocated).toEqual({ buffers: 0, bytes: 0 })
    expect(device.lost).toBeUndefined()
  })
})
