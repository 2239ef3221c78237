import { join } from "node:path"
import { Console, Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import type { Measured } from "../../engine/accept.ts"
import { writeObstacle, writeWhole } from "../files.ts"
import { FORMATS } from "../output/grid.ts"
import {
  acceptanceProfile,
  against,
  CELLS,
  POSITIONS,
  positionsOf,
  renderRows
} from "../engine/accept-tables.ts"
import { embeddedModel, engineFlags } from "./engine-flags.ts"

const several = <A>(given: readonly A[], usual: readonly A[]): readonly A[] =>
  given.length === 0 ? usual : given

/** What is wrong with the numbers asked for, as far as they tell by themselves. */
const numberFaults = (
  keeps: readonly number[],
  counts: Readonly<Record<string, readonly number[]>>
): readonly string[] => [
  ...keeps.flatMap((keep) =>
    keep > 0 && keep <= 1 ? [] : [`--keep is ${keep}; above 0 and at most 1 is expected`]
  ),
  ...Object.entries(counts).flatMap(([flag, given]) =>
    given.flatMap((count) => (count >= 1 ? [] : [`${flag} is ${count}; at least 1 is expected`]))
  )
]

export const acceptCommand = Command.make(
  "accept",
  {
    ...engineFlags,
    prompts: Flag.String("prompts").pipe(
      Flag.withDescription("Folder of .txt files, a prompt each; the model's own prompts/ by default"),
      Flag.optional
    ),
    compressor: Flag.String("compressor").pipe(
      Flag.withDescription(
        "Method to measure, or a module of your own; may be given again. Default: streaming-llm, snapkv, verify-fed, int4"
      ),
      Flag.atLeast(0)
    ),
    keep: Flag.Finite("keep").pipe(
      Flag.withDescription("Keep ratio, above 0 and at most 1; may be given again. Default: 0.25 and 0.5"),
      Flag.atLeast(0)
    ),
    window: Flag.Int("window").pipe(
      Flag.withDescription("Tokens drafted in every round; may be given again. Default: 8"),
      Flag.atLeast(0)
    ),
    context: Flag.Int("context").pipe(
      Flag.withDescription("Prompt tokens, from each prompt's end; may be given again. Default: 512"),
      Flag.atLeast(0)
    ),
    maxTokens: Flag.Int("max-tokens").pipe(
      Flag.withDescription("Tokens produced after each prompt; rounds its end cuts short are not counted"),
      Flag.withDefault(64)
    ),
    against: Flag.String("against").pipe(
      Flag.withDescription(
        "One of the methods: shows by how many points of acceptance the others lie above it on the same prompts"
      ),
      Flag.optional
    ),
    perPosition: Flag.Boolean("per-position").pipe(
      Flag.withDescription("A row for each drafted position, with its 95 % interval, instead of each cell"),
      Flag.withDefault(false)
    ),
    output: Flag.String("output").pipe(
      Flag.withAlias("o"),
      Flag.withDescription(
        "Write a table that scenarios name as acceptance_profile: FILE. After Ctrl-C the same command goes on"
      ),
      Flag.optional
    ),
    format: Flag.Literals("format", FORMATS).pipe(
      Flag.withAlias("f"),
      Flag.withDescription("Format of the results on stdout"),
      Flag.withDefault("table")
    )
  },
  Effect.fnUntraced(function* (flags) {
    const { runAccept } = yield* Effect.promise(() => import("../engine/accept.ts"))
    const output = Option.getOrUndefined(flags.output)
    const obstacle = output === undefined ? undefined : writeObstacle(output)
    const model = Option.getOrElse(flags.model, embeddedModel)
    const compressors = several(flags.compressor, ["streaming-llm", "snapkv", "verify-fed", "int4"])
    const baseline = Option.getOrUndefined(flags.against)
    const measured = yield* runAccept({
      model,
      prompts: Option.getOrElse(flags.prompts, () => join(model, "prompts")),
      compressors,
      keeps: several(flags.keep, [0.25, 0.5]),
      windows: several(flags.window, [8]),
      contexts: several(flags.context, [512]),
      maxTokens: flags.maxTokens,
      kvCacheDtype: flags.kvCacheDtype,
      adapter: flags.adapter,
      faults: [
        ...(obstacle === undefined ? [] : [`--output cannot be written: ${obstacle}`]),
        ...(baseline === undefined || compressors.includes(baseline)
          ? []
          : [`--against ${baseline} is not measured; one of ${compressors.join(", ")} is expected`]),
        ...numberFaults(flags.keep, {
          "--window": flags.window,
          "--context": flags.context,
          "--max-tokens": [flags.maxTokens]
        })
      ],
      journal: output === undefined ? undefined : `${output}.journal`,
      stderr: process.stderr
    })
    const rows: readonly Measured[] = measured.rows
    yield* Console.log(
      flags.perPosition
        ? renderRows(flags.format, POSITIONS, rows.flatMap(positionsOf))
        : renderRows(
            flags.format,
            baseline === undefined ? CELLS : [...CELLS, ...against(rows, baseline)],
            rows
          )
    )
    if (output === undefined) return
    const source = `${measured.card.name}, vericache ${process.argv.slice(2).join(" ")}`
    yield* writeWhole(output, [acceptanceProfile(rows, measured.model, source)])
    measured.journal?.remove()
    yield* Console.error(`${output}: name it in a scenario as acceptance_profile: ${output}`)
  })
).pipe(
  Command.withDescription(
    "Measure how often drafts on compressed KV are accepted, and write it for scenarios"
  )
)
