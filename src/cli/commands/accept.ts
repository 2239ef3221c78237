import { join } from "node:path"
import { Console, Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import type { Measured } from "../../engine/accept.ts"
import { curveOf } from "../../engine/acceptance-figures.ts"
import { yamlText } from "../../planning/yaml-text.ts"
import { Usage } from "../exit.ts"
import { writeObstacle, writeWhole } from "../files.ts"
import { type Column, FORMATS, objects, plainTable, renderGrid } from "../output/grid.ts"
import { Progress } from "../progress.ts"
import { embeddedModel, engineFlags } from "./engine-flags.ts"

const number = (
  title: string,
  key: string,
  value: (row: Measured) => number,
  text: (value: number) => string = String
): Column<Measured> => ({ title, key, value, text: (row) => text(value(row)) })

const percent = (share: number): string => `${(100 * share).toFixed(0)} %`
const acceptance = ({ accepted, drafted }: Measured): number => (drafted === 0 ? 0 : accepted / drafted)

const COLUMNS: readonly Column<Measured>[] = [
  {
    title: "compressor",
    key: "compressor",
    value: (row) => row.compressor.name,
    text: (row) => row.compressor.name,
    left: true
  },
  {
    title: "keep",
    key: "keep",
    value: (row) => (row.compressor.takesKeep ? row.keep : undefined),
    text: (row) => (row.compressor.takesKeep ? String(row.keep) : "fixed")
  },
  number("window", "window", ({ window }) => window),
  number("context", "context_tokens", ({ context }) => context),
  number("prompts", "prompts", ({ prompts }) => prompts),
  number("rounds", "rounds", ({ rounds }) => rounds),
  number("accepted", "acceptance", acceptance, percent),
  number(
    "tokens/round",
    "acceptance_length",
    (row) => (row.rounds === 0 ? 0 : 1 + row.accepted / row.rounds),
    (value) => value.toFixed(1)
  ),
  number("low", "length_low", (row) => row.meanLengthInterval?.low ?? 0, (v) => v.toFixed(2)),
  number("high", "length_high", (row) => row.meanLengthInterval?.high ?? 0, (v) => v.toFixed(2)),
  number("cut", "rounds_cut", ({ cut }) => cut),
  { title: "lengths", key: "lengths", detail: true, text: () => "", value: (row) => row.lengths.join(" ") },
  number("KV bytes", "bytes_share", ({ bytesShare }) => bytesShare, percent)
]

/** The file scenarios name as `acceptance_profile: FILE`: one row for each compressor and keep, its widest window's curve. */
const profile = (rows: readonly Measured[], model: string, adapter: string): string => {
  const widest = new Map<string, Measured>()
  for (const row of rows) {
    const key = `${row.compressor.name} ${row.keep}`
    const other = widest.get(key)
    if (
      row.rounds > 0 &&
      (other === undefined || row.window * row.rounds > other.window * other.rounds)
    )
      widest.set(key, row)
  }
  return yamlText({
    acceptance: [...widest.values()].map((row) => ({
      compressor: row.compressor.name,
      models: [model, "any"],
      keep: row.compressor.takesKeep ? row.keep : Math.min(1, Math.round(row.bytesShare * 1000) / 1000),
      basis: "measured",
      source: `vericache accept on ${model}, ${row.prompts} prompts of ${row.context} tokens, ${row.rounds} rounds of ${row.window}, greedy, ${adapter}`,
      curve: curveOf(row)
    }))
  })
}

const several = <A>(given: readonly A[], usual: readonly A[]): readonly A[] =>
  given.length === 0 ? usual : given

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
        "Method to measure; may be given again. Default: streaming-llm, snapkv, verify-fed, int4"
      ),
      Flag.atLeast(0)
    ),
    keep: Flag.Finite("keep").pipe(
      Flag.withDescription("Keep ratio; may be given again. Default: 0.25 and 0.5"),
      Flag.atLeast(0)
    ),
    window: Flag.Int("window").pipe(
      Flag.withDescription("Draft window; may be given again. Default: 8"),
      Flag.atLeast(0)
    ),
    context: Flag.Int("context").pipe(
      Flag.withDescription("Prompt tokens; may be given again. Default: 512"),
      Flag.atLeast(0)
    ),
    maxTokens: Flag.Int("max-tokens").pipe(
      Flag.withDescription("Tokens produced after each prompt"),
      Flag.withDefault(64)
    ),
    output: Flag.String("output").pipe(
      Flag.withAlias("o"),
      Flag.withDescription("Write a table that scenarios name as acceptance_profile: FILE"),
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
    const obstacle = Option.isSome(flags.output) ? writeObstacle(flags.output.value) : undefined
    if (obstacle !== undefined)
      return yield* new Usage({ problem: `--output cannot be written: ${obstacle}` })
    for (const keep of flags.keep)
      if (!(keep > 0 && keep <= 1))
        return yield* new Usage({ problem: `--keep is ${keep}; above 0 and at most 1 is expected` })
    for (const count of [...flags.window, ...flags.context, flags.maxTokens])
      if (count < 1)
        return yield* new Usage({ problem: `windows, contexts and tokens are at least 1, not ${count}` })
    const model = Option.getOrElse(flags.model, embeddedModel)
    const {
      rows,
      card,
      model: name
    } = yield* runAccept({
      model,
      prompts: Option.getOrElse(flags.prompts, () => join(model, "prompts")),
      compressors: several(flags.compressor, ["streaming-llm", "snapkv", "verify-fed", "int4"]),
      keeps: several(flags.keep, [0.25, 0.5]),
      windows: several(flags.window, [8]),
      contexts: several(flags.context, [512]),
      maxTokens: flags.maxTokens,
      kvCacheDtype: flags.kvCacheDtype,
      adapter: flags.adapter,
      note: (text) => process.stderr.write(text),
      progress: new Progress(process.stderr)
    })
    yield* Console.log(
      flags.format === "json"
        ? JSON.stringify(objects(COLUMNS, rows), undefined, 2)
        : flags.format === "table"
          ? plainTable(COLUMNS, rows)
          : renderGrid(flags.format, COLUMNS, rows)
    )
    if (Option.isNone(flags.output)) return
    yield* writeWhole(flags.output.value, [profile(rows, name, card.name)])
    yield* Console.error(
      `${flags.output.value}: name it in a scenario as acceptance_profile: ${flags.output.value}`
    )
  })
).pipe(
  Command.withDescription(
    "Measure how often drafts on compressed KV are accepted, and write it for scenarios"
  )
)
