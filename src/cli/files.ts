/** Files as the commands use them: scenarios and their companions, the catalog of this package, results written whole or not at all. */
import {
  accessSync,
  constants,
  existsSync,
  statSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  openSync,
  writeSync,
  closeSync
} from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { Effect, Result } from "effect"
import { type Catalog, makeCatalog, SECTIONS } from "../scenario/catalog.ts"
import { ScenarioInvalid } from "../scenario/document.ts"
import { type ReadFile, readText } from "../scenario/files.ts"
import { loadScenario } from "../scenario/load.ts"
import type { Scenario } from "../scenario/resolved.ts"
import { Usage } from "./exit.ts"

/** Reads a file; undefined if that is not possible. */
export const readFile: ReadFile = (path) => {
  try {
    return readFileSync(path)
  } catch {
    return undefined
  }
}

/** The folder of this package: the nearest one above this file with a package.json. */
export const packageRoot = (): string => {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, "package.json"))) {
    const parent = dirname(folder)
    if (parent === folder) throw new Error("vericache is not installed as a package")
    folder = parent
  }
  return folder
}

export const packageVersion = (): string => {
  const { version } = JSON.parse(readFileSync(join(packageRoot(), "package.json"), "utf8")) as {
    readonly version: string
  }
  return version
}

/** The catalog that comes with the package. */
export const readCatalog: Effect.Effect<Catalog, ScenarioInvalid> = Effect.suspend(() => {
  const root = join(packageRoot(), "scenarios", "catalog")
  const texts = SECTIONS.flatMap((section) =>
    readdirSync(join(root, section))
      .filter((name) => name.endsWith(".yaml"))
      .toSorted()
      .map((name) => {
        const file = join(root, section, name)
        const text = readText(file, readFile)
        return { section, file, text: typeof text === "string" ? text : "" }
      })
  )
  const { catalog, faults } = makeCatalog(texts)
  return faults.length > 0 ? Effect.fail(new ScenarioInvalid({ faults })) : Effect.succeed(catalog)
})

/** A scenario file, resolved against the catalog; files are read with `read`. */
export const readScenario = (
  path: string,
  read: ReadFile = readFile
): Effect.Effect<Scenario, ScenarioInvalid> =>
  Effect.flatMap(readCatalog, (catalog) => {
    const loaded = loadScenario(path, read, catalog)
    return Result.isSuccess(loaded) ? Effect.succeed(loaded.success) : Effect.fail(loaded.failure)
  })

/** Why a file of this name could not be written later on, as far as that is known now. */
export const writeObstacle = (path: string): string | undefined => {
  let folder = dirname(path)
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder)
  try {
    if (!statSync(folder).isDirectory()) return `${folder} is no folder`
    accessSync(folder, constants.W_OK)
    if (existsSync(path) && statSync(path).isDirectory()) return "it is a folder"
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** Writes chunks to a file beside the target and renames it when it is whole: nothing half-written is ever seen. */
export const writeWhole = (path: string, chunks: Iterable<Uint8Array | string>): Effect.Effect<void, Usage> =>
  Effect.suspend(() => {
    const draft = `${path}.${process.pid}.part`
    try {
      mkdirSync(dirname(path), { recursive: true })
      const file = openSync(draft, "w")
      try {
        for (const chunk of chunks) writeSync(file, typeof chunk === "string" ? Buffer.from(chunk) : chunk)
      } finally {
        closeSync(file)
      }
      renameSync(draft, path)
      return Effect.void
    } catch (error) {
      if (existsSync(draft)) rmSync(draft)
      if (!(error instanceof Error && "code" in error)) throw error
      return Effect.fail(new Usage({ problem: `${path} cannot be written: ${error.message}` }))
    }
  })
