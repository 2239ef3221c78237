import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, isAbsolute, join, normalize, resolve, sep } from "node:path"
import { Console, Effect, Option, Result } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { bytesOf, type Manifest, readManifest } from "../../planning/report/manifest.ts"
import { digestOf } from "../../trace/digest.ts"
import { NotReproduced, Usage } from "../exit.ts"
import { packageVersion, readFile } from "../files.ts"
import { AnnounceReport, catalogDigest, checkReport } from "../report/recording.ts"
import { analyzeCommand } from "./analyze.ts"
import { compareCommand } from "./compare.ts"
import { planCommand } from "./plan.ts"
import { simulateCommand } from "./simulate.ts"
import { sweepCommand } from "./sweep.ts"

/** The commands that write reports. */
const runnable = Command.make("vericache").pipe(
  Command.withSubcommands([analyzeCommand, compareCommand, planCommand, simulateCommand, sweepCommand])
)
const RUNNABLE: ReadonlySet<string> = new Set(["analyze", "compare", "plan", "simulate", "sweep"])

/** What is not as it was when the report was written; results may differ for it. */
const differences = ({ version, catalog }: Manifest, now: string): readonly string[] => [
  ...(version === packageVersion()
    ? []
    : [`it was written by vericache ${version}, this is ${packageVersion()}`]),
  ...(catalog === now ? [] : ["the catalog has other hardware, models, compressors or drafters"])
]

/** Analyses of scenarios and sweeps; those of results files have nothing to simulate again. */
const ANALYSES: ReadonlySet<string> = new Set(["sensitivity", "break-even", "window", "replicate"])

const FLAGS: ReadonlySet<string> = new Set([
  "--format",
  "--method",
  "--seed",
  "--shard",
  "--theory",
  "--digest",
  "--metric",
  "--against",
  "--most",
  "--seeds"
])

/** Whether a manifest asks for what reports of that command hold, and nothing else: it may come from anywhere. */
const isSound = ({ command, arguments: given, files }: Manifest): boolean =>
  RUNNABLE.has(command) &&
  (command !== "analyze" || ANALYSES.has(given[0] ?? "")) &&
  given.slice(command === "analyze" ? 1 : 0).every((one) => {
    const [name, value = ""] = /^(--[a-z]+)(?:=([^]*))?$/.exec(one)?.slice(1) ?? ["", one]
    if (name === "" || name === "--measured") return Object.hasOwn(files, value.replace(/^\.\/-/, "-"))
    return FLAGS.has(name!)
  })

/**
 * The bytes of every file, by name. Files that are not kept, or that the scenario names with their whole path, have to be
 * where they were and as they were.
 */
const filesOf = ({ files }: Manifest): Effect.Effect<ReadonlyMap<string, Uint8Array>, Usage> => {
  const problems: string[] = []
  const found = new Map<string, Uint8Array>()
  for (const [name, file] of Object.entries(files)) {
    const kept = isAbsolute(name) ? undefined : bytesOf(file)
    const bytes = kept ?? readFile(name)
    const why = isAbsolute(name) ? "is named with its whole path" : "was too large to be kept in the report"
    if (bytes === undefined) problems.push(`${name} ${why}, and it is not there`)
    else if (digestOf(bytes) !== file.digest)
      problems.push(
        kept === undefined
          ? `${name} ${why}, and the file there now is another`
          : `${name} was changed within the report`
      )
    else found.set(name, bytes)
  }
  return problems.length === 0
    ? Effect.succeed(found)
    : Effect.fail(new Usage({ problem: problems.join("\n") }))
}

/** Lays files out below `root` as they lay around the working directory; which folder now stands for that. */
const layOut = (root: string, files: ReadonlyMap<string, Uint8Array>): Effect.Effect<string, Usage> => {
  const relative = [...files].filter(([name]) => !isAbsolute(name))
  const climbed = relative.map(
    ([name]) =>
      normalize(name)
        .split(/[/\\]/)
        .filter((part) => part === "..").length
  )
  const here = join(root, ...Array.from({ length: Math.max(0, ...climbed) }, (_, i) => `up${i}`))
  const taken = new Set<string>()
  for (const [name, bytes] of relative) {
    const path = resolve(here, name)
    if (!path.startsWith(root + sep) || taken.has(path))
      return Effect.fail(new Usage({ problem: `the manifest names a file that cannot be: ${name}` }))
    taken.add(path)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, bytes)
  }
  mkdirSync(here, { recursive: true })
  return Effect.succeed(here)
}

/** A scratch folder, gone at the end, and the working directory as it was. */
const scratch = Effect.acquireRelease(
  Effect.sync(() => ({
    before: process.cwd(),
    root: realpathSync(mkdtempSync(join(tmpdir(), "vericache-")))
  })),
  ({ before, root }) =>
    Effect.sync(() => {
      process.chdir(before)
      rmSync(root, { recursive: true, force: true })
    })
)

const manifestIn = (file: string): Effect.Effect<Manifest, Usage> => {
  const bytes = readFile(file)
  const read: Result.Result<Manifest, string> =
    bytes === undefined
      ? Result.fail("cannot be read: no such file, or no permission")
      : readManifest(new TextDecoder().decode(bytes))
  return Effect.fromResult(Result.mapError(read, (problem) => new Usage({ problem: `${file}: ${problem}` })))
}

export const rerunCommand = Command.make(
  "rerun",
  {
    file: Argument.String("file").pipe(
      Argument.withDescription("A report, .html or .md, or the manifest of one")
    ),
    output: Flag.String("output").pipe(
      Flag.withAlias("o"),
      Flag.withDescription("Rows of a sweep into a file: .parquet, .csv or .jsonl"),
      Flag.optional
    ),
    report: Flag.String("report").pipe(
      Flag.withDescription("Write the report again, as .html or .md"),
      Flag.optional
    ),
    force: Flag.Boolean("force").pipe(
      Flag.withDescription("Run although vericache or its catalog is another than the report's"),
      Flag.withDefault(false)
    )
  },
  Effect.fnUntraced(function* ({ file, output, report, force }) {
    if (Option.isSome(report)) yield* checkReport(report.value)
    const manifest = yield* manifestIn(file)
    if (!isSound(manifest))
      return yield* new Usage({ problem: `${file}: its manifest is of no report that vericache writes` })
    if (Option.isSome(output) && manifest.command !== "sweep")
      return yield* new Usage({ problem: "--output is for sweeps; the results of a simulation go to stdout" })
    const different = differences(manifest, yield* catalogDigest)
    if (different.length > 0 && !force)
      return yield* new Usage({
        problem: `${file} would not come to the same results: ${different.join("; ")}. --force runs it all the same`
      })
    const files = yield* filesOf(manifest)
    const { root } = yield* scratch
    const here = yield* layOut(root, files)
    const again = Option.match(report, {
      onNone: () => join(root, "again.md"),
      onSome: (path) => resolve(path)
    })
    const target = Option.map(output, (path) => resolve(path))
    process.chdir(here)
    const ran = yield* Command.runWith(runnable, { version: packageVersion() })([
      manifest.command,
      ...manifest.arguments,
      `--report=${again}`,
      ...(Option.isSome(target) ? [`--output=${target.value}`] : [])
    ]).pipe(Effect.provideService(AnnounceReport, Option.isSome(report)), Effect.exit)
    // Objectives may be missed now as they were then: the results are there all the same.
    const made = existsSync(again) ? yield* manifestIn(again) : undefined
    if (made === undefined) return yield* ran
    if (made.results !== manifest.results)
      return yield* new NotReproduced({
        problem: `the results are others: ${made.results}, the report has ${manifest.results}${different.length > 0 ? ` (${different.join("; ")})` : ""}`
      })
    yield* Console.error(`the same results: ${made.results}`)
    return yield* ran
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    "Make the results of a report again, from the manifest in it, and check that they are the same"
  ),
  Command.withExamples([
    { command: "vericache rerun demo.html", description: "Needs no other file: the report has them" }
  ])
)
