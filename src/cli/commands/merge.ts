import { Console, Effect } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { mergeShards } from "../../planning/sweep/merge.ts"
import { ObjectiveMissed, Usage } from "../exit.ts"
import { outputFormat, readTable, writeTable } from "../sweep/output.ts"
import { Tally } from "../sweep/run-sweep.ts"
import { failOnFlag, readThresholds, rowsBeyond } from "../thresholds.ts"

export const mergeCommand = Command.make(
  "merge",
  {
    files: Argument.String("file").pipe(
      Argument.withDescription("Results of the shards of one sweep, in any format"),
      Argument.atLeast(1)
    ),
    output: Flag.String("output").pipe(
      Flag.withAlias("o"),
      Flag.withDescription("All results: .parquet, .csv or .jsonl")
    ),
    partial: Flag.Boolean("partial").pipe(
      Flag.withDescription("Take what there is where points are missing"),
      Flag.withDefault(false)
    ),
    failOn: failOnFlag("tokens_per_s < 200")
  },
  Effect.fnUntraced(function* ({ files, output, partial, failOn }) {
    const thresholds = yield* readThresholds(failOn, false)
    const format = yield* outputFormat(output)
    const shards = yield* Effect.forEach(files, (file) =>
      Effect.map(readTable(file), (table) => ({ file, table }))
    )
    const merged = mergeShards(shards, partial)
    if ("problems" in merged)
      return yield* new Usage({ problem: [...merged.problems, "nothing was written"].join("\n") })
    const { columns, rows, recipe } = merged.table
    const tally = new Tally(columns)
    yield* writeTable(output, format, columns, tally.counting(rows), recipe)
    yield* Console.error(`${output}: ${tally.words()}`)
    const missed = rowsBeyond(thresholds, merged.table)
    if (missed.length > 0) return yield* new ObjectiveMissed({ missed })
  })
).pipe(
  Command.withDescription("Join the results of a sweep's shards; every point once, or nothing is written")
)
