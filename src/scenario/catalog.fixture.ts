/** The catalog of this repository and files in memory, for tests. */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { Result } from "effect"
import { type Catalog, makeCatalog, SECTIONS } from "./catalog.ts"
import type { Fault } from "./fault.ts"
import type { ReadFile } from "./files.ts"
import { loadScenario } from "./load.ts"
import type { Scenario } from "./resolved.ts"

export const SCENARIOS = join(import.meta.dirname, "..", "..", "scenarios")

const load = (): Catalog => {
  const { catalog, faults } = makeCatalog(
    SECTIONS.flatMap((section) =>
      readdirSync(join(SCENARIOS, "catalog", section)).map((name) => {
        const file = join(SCENARIOS, "catalog", section, name)
        return { section, file, text: readFileSync(file, "utf8") }
      })
    )
  )
  if (faults.length > 0) throw new Error(faults.map(({ file, message }) => `${file}: ${message}`).join("\n"))
  return catalog
}

export const CATALOG = load()

/** Files by path: text, or bytes as they are. */
export type Files = Readonly<Record<string, string | Uint8Array>>

export const inMemory =
  (files: Files): ReadFile =>
  (path) => {
    const content = files[path]
    return typeof content === "string" ? new TextEncoder().encode(content) : content
  }

export const scenarioOf = (files: Files, path = "s.yaml"): Scenario => {
  const loaded = loadScenario(path, inMemory(files), CATALOG)
  if (Result.isFailure(loaded)) throw new Error(loaded.failure.message)
  return loaded.success
}

export const faultsOf = (files: Files, path = "s.yaml"): readonly Fault[] => {
  const loaded = loadScenario(path, inMemory(files), CATALOG)
  return Result.isFailure(loaded) ? loaded.failure.faults : []
}

/** A fault as one reads it first: place, field, message, and what to do. */
export const told = (faults: readonly Fault[]): readonly string[] =>
  faults.map(
    ({ file, line, column, field, message, suggestion }) =>
      `${file}:${line}:${column} ${field}: ${message}${suggestion === undefined ? "" : `; ${suggestion}`}`
  )

/** A small scenario with nothing wrong. */
export const GOOD = `name: small
model: llama-3.1-8b
hardware: h100-sxm
workload:
  context: prefill
  requests: 20
  arrivals: { concurrency: 4 }
  input: 1k tokens
  output: 64
methods:
  - full-kv
`
