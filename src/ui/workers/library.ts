/** What comes with vericache, bundled: its scenarios and its catalog. */
import { type Catalog, makeCatalog, SECTIONS } from "../../scenario/catalog.ts"
import type { ReadFile } from "../../scenario/files.ts"
import { baseName } from "../shell/own-files.ts"
import type { TextFile } from "./protocol.ts"

const ROOT = "../../../scenarios/"
const TEXTS = import.meta.glob<string>("../../../scenarios/**/*.yaml", {
  query: "?raw",
  import: "default",
  eager: true
})

/** Text of a file below `scenarios/`. */
export const bundled = (file: string): string | undefined => TEXTS[ROOT + file]

const own = new Map<string, string>()

/** Keeps files of the user's own, for scenarios that name them. */
export const keepOwn = (files: readonly TextFile[]): void => {
  for (const { name, text } of files) own.set(name, text)
}

/** A file that was opened: by its path as seen from the scenario, or by its name, for what was dropped has lost its folder. */
const opened = (path: string): string | undefined => own.get(path) ?? own.get(baseName(path))

/** Reads opened files and bundled ones, and `text` in place of `file`. */
export const reading =
  (file: string, text: string): ReadFile =>
  (path) => {
    const found = path === file ? text : (opened(path) ?? bundled(path))
    return found === undefined ? undefined : new TextEncoder().encode(found)
  }

/** Scenarios that can be opened by name. */
export const SCENARIOS: readonly string[] = Object.keys(TEXTS)
  .map((path) => path.slice(ROOT.length))
  .filter((path) => !/^(catalog|plans|sweeps|twin)\//.test(path))
  .toSorted()

/** The catalog that comes with vericache: sound, since its own tests say so. */
export const CATALOG: Catalog = makeCatalog(
  SECTIONS.flatMap((section) =>
    Object.entries(TEXTS).flatMap(([path, text]) =>
      path.startsWith(`${ROOT}catalog/${section}/`) ? [{ section, file: path.slice(ROOT.length), text }] : []
    )
  )
).catalog
