/** `vericache compressors` as a user reads it. */
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { COMPRESSORS } from "../../engine/compressors/registry.ts"

const ROOT = join(import.meta.dirname, "..", "..", "..")
const compressors = (...flags: readonly string[]) =>
  spawnSync(process.execPath, ["src/cli/main.ts", "compressors", ...flags], { cwd: ROOT, encoding: "utf8" })

describe("compressors", () => {
  it("lists every method once, each with where it is from", () => {
    const { stdout, stderr, status } = compressors("-f", "json")
    expect([status, stderr]).toEqual([0, ""])
    const rows = JSON.parse(stdout) as readonly Readonly<Record<string, string>>[]
    expect(rows.map(({ name }) => name)).toEqual(COMPRESSORS.map(({ name }) => name))
    for (const { summary, source, observes } of rows)
      expect([summary, source, observes].every((text) => text !== undefined && text !== "")).toBe(true)
  })

  it("says what --keep is good for and what a method must see", () => {
    const { stdout } = compressors("-f", "csv")
    const line = (name: string): string | undefined =>
      stdout.split("\n").find((one) => one.startsWith(`${name},`))
    expect(line("snapkv")).toMatch(/^snapkv,drop,offline,yes,attention \(recent\),/)
    expect(line("verify-fed")).toMatch(/^verify-fed,drop,online,yes,"attention \(recent, verify\)",/)
    expect(line("int4")).toMatch(/^int4,quantize,offline,fixed,nothing,/)
  })

  it("refuses a format there is none of", () => {
    const { stdout, stderr, status } = compressors("-f", "xml")
    expect([status, stdout]).toEqual([2, ""])
    expect(stderr).toContain("xml")
  })
})
