/** The gate bites: each house rule is broken on purpose in a scratch checkout, and the tool that watches over it says so. */
import { spawnSync } from "node:child_process"
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { trespass } from "./house-rules.ts"

const ROOT = join(import.meta.dirname, "..")

let scratch: string
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), "vericache-rules-"))
  symlinkSync(join(ROOT, "node_modules"), join(scratch, "node_modules"), "junction")
  for (const file of ["package.json", "tsconfig.json", ".oxlintrc.json", "scripts/house-rules.ts"]) {
    mkdirSync(dirname(join(scratch, file)), { recursive: true })
    copyFileSync(join(ROOT, file), join(scratch, file))
  }
})
afterAll(() => rmSync(scratch, { recursive: true }))

const tool = (name: string, ...args: readonly string[]) => {
  const { stdout, status } = spawnSync(
    process.execPath,
    [join(ROOT, "node_modules", name === "tsc" ? "typescript/bin/tsc" : "oxlint/bin/oxlint"), ...args],
    { cwd: scratch, encoding: "utf8" }
  )
  return { stdout, status }
}

/** The rules that oxlint finds broken in files of these texts, sorted. */
const broken = (files: Readonly<Record<string, string>>): readonly string[] => {
  rmSync(join(scratch, "src"), { recursive: true, force: true })
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(scratch, "src", file)), { recursive: true })
    writeFileSync(join(scratch, "src", file), text)
  }
  const { stdout } = tool("oxlint", "--format=json", "src")
  const { diagnostics } = JSON.parse(stdout) as { readonly diagnostics: readonly { readonly code: string }[] }
  return diagnostics.map(({ code }) => code).toSorted()
}

describe("who may import whom", () => {
  it.each([
    ["sim/kernel/heap.ts", "effect", "sim/kernel may not import the package effect"],
    ["sim/kernel/heap.ts", "node:fs", "sim/kernel may not import the package node:fs"],
    ["sim/kernel/heap.ts", "../setup.ts", "sim/kernel may not import sim/setup.ts"],
    ["sim/cost/load.ts", "../../engine/probe/probe.ts", "sim may not import engine/probe/probe.ts"],
    ["runtime/serve.ts", "../sim/setup.ts", "runtime may not import sim/setup.ts"],
    ["runtime/serve.ts", "../scenario/load.ts", "runtime may not import scenario/load.ts"],
    ["runtime/serve.ts", "xstate", "runtime may not import the package xstate"],
    ["runtime/serve.test.ts", "../sim/setup.ts", "runtime may not import sim/setup.ts"],
    ["trace/store.ts", "../protocol/table.ts", "trace may not import protocol/table.ts"],
    ["planning/sweep.ts", "../cli/files.ts", "planning may not import cli/files.ts"],
    ["planning/chart.ts", "d3-scale", "planning may not import the package d3-scale"],
    ["ui/timeline.ts", "../sim/simulate.ts", "ui may not import sim/simulate.ts"],
    ["helpers/x.ts", "effect", "helpers/x.ts is in no room of the house plan"]
  ])("%s does not import %s", (file, specifier, reason) => {
    expect(trespass(file, specifier)).toBe(reason)
  })

  it.each([
    ["sim/kernel/heap.ts", "./kernel.ts"],
    ["sim/cost/load.ts", "../kernel/kernel.ts"],
    ["sim/kernel/heap.test.ts", "vitest"],
    ["runtime/serve.ts", "../scenario/resolved.ts"],
    ["runtime/actors/gpu.ts", "effect/Queue"],
    ["protocol/request.machine.ts", "xstate/graph"],
    ["cli/main.ts", "node:fs"]
  ])("%s imports %s", (file, specifier) => {
    expect(trespass(file, specifier)).toBeUndefined()
  })
})

describe("oxlint reports", () => {
  it.each([
    ["an import of another room", 'export { a } from "../sim/setup.ts"', "house(rooms)"],
    ["a type of another room", 'export type { A } from "../sim/setup.ts"', "house(rooms)"],
    ["an import at run time", 'export const a = () => import("xstate")', "house(rooms)"],
    ["the date", "export const a = () => new Date()", "house(no-clock)"],
    ["the date in ms", "export const a = () => Date.now()", "eslint(no-restricted-properties)"],
    ["a stopwatch", "export const a = () => performance.now()", "eslint(no-restricted-globals)"],
    ["a timer", "export const a = () => setTimeout(a, 1)", "eslint(no-restricted-globals)"],
    ["a die", "export const a = () => Math.random()", "eslint(no-restricted-properties)"],
    ["an exit", "export const a = () => process.exit(1)", "eslint(no-restricted-properties)"],
    ["any", "export const a = (b: unknown) => b as any", "typescript(no-explicit-any)"],
    ["a silenced type error", "// @ts-ignore\nexport const a = 1", "typescript(ban-ts-comment)"],
    ["null", "export const a = () => null", "unicorn(no-null)"],
    ["a note to oneself", "// xxx: later\nexport const a = 1", "eslint(no-warning-comments)"]
  ])("%s", (_, text, rule) => {
    expect(broken({ "runtime/a.ts": text })).toEqual([rule])
  })

  it("a cycle", () => {
    expect(
      broken({
        "runtime/a.ts": 'import { b } from "./b.ts"\nexport const a = () => b',
        "runtime/b.ts": 'import { a } from "./a.ts"\nexport const b = () => a'
      })
    ).toEqual(["import(no-cycle)", "import(no-cycle)"])
  })

  it("a test that is left out", () => {
    expect(
      broken({ "runtime/a.test.ts": 'import { it } from "vitest"\nit.skip("a", () => undefined)' })
    ).toEqual(["vitest(no-disabled-tests)"])
  })

  it("nothing in a file that keeps the rules", () => {
    expect(
      broken({ "runtime/a.ts": 'import { Effect } from "effect"\nexport const a = Effect.void' })
    ).toEqual([])
  })
})

describe("the compiler", () => {
  it("reports an Effect that nobody runs", () => {
    broken({
      "runtime/a.ts": 'import { Effect } from "effect"\nexport const a = () => {\n  Effect.void\n}\n'
    })
    const { stdout, status } = tool("tsc")
    expect(stdout).toMatch(/src\/runtime\/a\.ts\(3,3\): error TS377001.*floatingEffect/)
    expect(status).not.toBe(0)
  })
})
