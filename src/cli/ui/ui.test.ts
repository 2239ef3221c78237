/** `vericache ui` as a shell sees it: what the page could not show is refused before anything is served. */
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"

const MAIN = join(import.meta.dirname, "..", "main.ts")

let folder = ""
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "vericache-ui-"))
  writeFileSync(join(folder, "bad.yaml"), "name: bad\nmodel: llama-3.1-7b\n")
  writeFileSync(join(folder, "run.txt"), "")
  writeFileSync(join(folder, "other.jsonl"), '{"a":1}\n')
})
afterAll(() => rmSync(folder, { recursive: true }))

describe("vericache ui", () => {
  it.each([
    ["bad.yaml", /^bad\.yaml:2:1: model: no llama-3\.1-7b in the catalog; did you mean llama-3\.1-/m],
    ["run.txt", /^run\.txt: expected a scenario \(\.yaml\), a trace \(.*\) or results of a sweep \(/],
    ["other.jsonl", /^other\.jsonl: expected a trace, .* or results of a sweep/],
    ["none.parquet", /^none\.parquet cannot be read/]
  ])("refuses %s", (file, words) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, "ui", file, "--no-open"], {
      cwd: folder,
      encoding: "utf8"
    })
    expect([status, stdout]).toEqual([2, ""])
    expect(stderr).toMatch(words)
  })
})
