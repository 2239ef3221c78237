import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { describe, expect, it } from "vitest"

const root = join(import.meta.dirname, "..", "..", "..")

/** Runs a command of the engine from source, on the software adapter. */
const vericache = (command: string, flags: readonly string[]) =>
  spawnSync(process.execPath, ["--import", "./scripts/wgsl.ts", "src/cli/main.ts", command, ...flags], {
    cwd: root,
    encoding: "utf8"
  })

/** Flags without spaces in them, and more as they are. */
const words = (flags: string, ...more: readonly string[]): string[] => [...flags.split(" "), ...more]

describe("generate", () => {
  it("tells text, rounds and bytes, and proves the output identical to full KV", () => {
    const { stdout, stderr, status } = vericache(
      "generate",
      words(
        "--adapter software --max-tokens 16 --window 4 --compressor docs/examples/every-other.js --json",
        "import os"
      )
    )
    expect([status, stderr]).toEqual([0, expect.stringContaining("software adapter")])
    const result = JSON.parse(stdout) as Record<string, unknown>
    expect(result).toMatchObject({
      adapterKind: "software",
      compressor: "every-other",
      outputTokens: 16,
      identicalToFullKv: true
    })
    expect((result["tokens"] as number[]).length).toBe(16)
    expect(result["bytesIn"]).toBeGreaterThan(0)
  })

  it.each([
    [["--compressor", "snapvk"], 'no compressor is named "snapvk"; did you mean snapkv?'],
    [["--compressor", "no-such.js"], "--compressor no-such.js: there is no such file"],
    [["--model", "docs"], "docs: has no config.json"],
    [["--keep", "2"], "--keep is 2; above 0 and at most 1 is expected"],
    [["--max-tokens", "5000"], "are more than the 4096 positions of the model"]
  ])("refuses %j in words", (flags, told) => {
    const { stdout, stderr, status } = vericache("generate", ["import os", ...flags])
    expect([status, stdout]).toEqual([2, ""])
    expect(stderr).toContain(told)
  })
})
