/** What comes with vericache, bundled: its scenarios and its catalog. */
import { type Catalog, makeCatalog, SECTIONS } from "../../scenario/catalog.ts"
import type { ReadFile } from "../../scenario/files.ts"

const ROOT = "../../../scenarios/"
const TEXTS = import.meta.glob<string>("../../../scenarios/**/*.yaml", {
  query: "?raw",
  import: "default",
  eager: true
})

/** Text of a file below `scenarios/`. */
export const bundled = (file: string): string | undefined => TEXTS[ROOT + file]

/** Reads bundled files, and `text` in place of `file`. */
export const reading =
  (file: string, text: string): ReadFile =>
  (path) => {
    const found = path === file ? text : bundled(path)
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
