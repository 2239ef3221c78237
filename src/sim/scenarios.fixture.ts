/** The scenarios of this repository, for tests. */
import { readdirSync, readFileSync } from "node:fs"
import { join, relative } from "node:path"
import { Result } from "effect"
import { type Catalog, makeCatalog, SECTIONS } from "../scenario/catalog.ts"
import { loadScenario } from "../scenario/load.ts"
import type { Scenario } from "../scenario/resolved.ts"

const ROOT = join(import.meta.dirname, "..", "..", "scenarios")

const readFile = (path: string): Uint8Array | undefined => {
  try {
    return readFileSync(path)
  } catch {
    return undefined
  }
}

export const readCatalog = (): Catalog => {
  const texts = SECTIONS.flatMap((section) =>
    readdirSync(join(ROOT, "catalog", section)).map((name) => {
      const file = join(ROOT, "catalog", section, name)
      return { section, file, text: readFileSync(file, "utf8") }
    })
  )
  const { catalog, faults } = makeCatalog(texts)
  if (faults.length > 0)
    throw new Error(faults.map(({ file, line, message }) => `${file}:${line} ${message}`).join("\n"))
  return catalog
}

/** Paths of all scenario files, relative to the scenarios folder; what else lies there has folders of its own. */
export const scenarioPaths = (): readonly string[] =>
  readdirSync(ROOT, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".yaml") && !/^(catalog|sweeps|plans|twin\/profiles)\//.test(name))
    .toSorted()

export const readScenario = (path: string, catalog: Catalog): Scenario => {
  const loaded = loadScenario(join(ROOT, path), readFile, catalog)
  if (Result.isFailure(loaded)) throw new Error(`${relative(ROOT, path)}\n${loaded.failure.message}`)
  return loaded.success
}

/** The same scenario with at most so many requests: enough to meet every rule, few enough to test all. */
export const shortened = (scenario: Scenario, requests: number): Scenario => {
  const { workload } = scenario
  return {
    ...scenario,
    workload:
      workload.kind === "trace"
        ? { ...workload, requests: workload.requests.slice(0, requests) }
        : { ...workload, requests: Math.min(requests, workload.requests) }
  }
}
