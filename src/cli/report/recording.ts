/** Reports written by commands: what was read is kept, what came out is fingerprinted, and the page is written whole. */
import { isAbsolute, relative } from "node:path"
import { Console, Context, Effect } from "effect"
import { KEPT_BYTES, type Manifest, ReadFiles } from "../../planning/report/manifest.ts"
import type { ReportDocument } from "../../planning/report/document.ts"
import { htmlReport } from "../../planning/report/html.ts"
import { markdownReport } from "../../planning/report/markdown.ts"
import { SECTIONS } from "../../scenario/catalog.ts"
import type { Scenario } from "../../scenario/resolved.ts"
import { digestOf } from "../../trace/digest.ts"
import { Usage } from "../exit.ts"
import { packageVersion, readCatalog, readFile, writeObstacle, writeWhole } from "../files.ts"
import { scenarioHash } from "../output/screen.ts"

/** Comments on pull requests have little room. */
const KEPT_IN_MARKDOWN = 24_000

const isMarkdown = (path: string): boolean => path.endsWith(".md")

/** An error, before anything is simulated, if a report could not be written there after. */
export const checkReport = (path: string): Effect.Effect<void, Usage> => {
  if (!/\.(html|md)$/.test(path))
    return Effect.fail(new Usage({ problem: `--report ${path}: expected a name that ends in .html or .md` }))
  const obstacle = writeObstacle(path)
  return obstacle === undefined
    ? Effect.void
    : Effect.fail(new Usage({ problem: `--report ${path} cannot be written: ${obstacle}` }))
}

/**
 * A file that a command was given, as the working directory sees it: so it can be laid out again elsewhere. The files it
 * names in turn are then absolute only where they are written so.
 */
export const fromHere = (path: string): string =>
  isAbsolute(path) ? relative("", path).replaceAll("\\", "/") : path

/** A file as an argument; one whose name begins like an option is none. */
export const fileArgument = (path: string): string => path.replace(/^-/, "./-")

/** Whether it is said where a report was written. */
export const AnnounceReport = Context.Reference<boolean>("vericache/cli/AnnounceReport", {
  defaultValue: () => true
})

/** Fingerprint of the catalog that comes with the package. */
export const catalogDigest = Effect.map(readCatalog, (catalog) =>
  digestOf(JSON.stringify(SECTIONS.map((section) => [section, ...catalog[section]])))
)

/** What a command gives of its own to a report's manifest. */
export interface Ran {
  readonly command: string
  /** Without the report itself. */
  readonly arguments: readonly string[]
  /** What it is about: a scenario, or the rows of sweeps. */
  readonly scenario: Scenario | { readonly sweep: string; readonly seed: number }
  readonly files: ReadFiles
  /** Everything that came out, as text. */
  readonly results: Iterable<string | Uint8Array>
}

/** Reads files, and takes note of them if there will be a report. */
export const filesRead = (): ReadFiles => new ReadFiles(readFile)

const manifestOf = (path: string, ran: Ran) =>
  Effect.map(catalogDigest, (catalog): Manifest => {
    const { command, scenario, files, results } = ran
    const text = [...results].map((part) =>
      typeof part === "string" ? part : Buffer.from(part).toString("latin1")
    )
    return {
      manifest: 1,
      version: packageVersion(),
      command,
      arguments: ran.arguments,
      scenario: "sweep" in scenario ? scenario.sweep : scenarioHash(scenario),
      seed: scenario.seed,
      catalog,
      results: digestOf(text.join("")),
      files: files.kept(isMarkdown(path) ? KEPT_IN_MARKDOWN : KEPT_BYTES)
    }
  })

/** Writes a report, as HTML or Markdown by its name. */
export const writeReport = (path: string, ran: Ran, document: Omit<ReportDocument, "manifest">) =>
  Effect.gen(function* () {
    const manifest = yield* manifestOf(path, ran)
    const write = isMarkdown(path) ? markdownReport : htmlReport
    yield* writeWhole(path, [write({ ...document, manifest })])
    const named = Object.entries(manifest.files).filter(
      ([, { text, base64 }]) => text === undefined && base64 === undefined
    )
    if (!(yield* AnnounceReport)) return
    yield* Console.error(
      `report: ${path}${named.length === 0 ? "" : `; too large to be kept in it: ${named.map(([name]) => name).join(", ")}`}`
    )
  })
