import { Console } from "effect"
import { Command, Flag } from "effect/cli"
import type { Compressor } from "../../engine/compressors/compressor.ts"
import { COMPRESSORS } from "../../engine/compressors/registry.ts"
import { type Column, fitting, FORMATS, objects, plainTable, renderGrid } from "../output/grid.ts"

const column = (
  title: string,
  key: string,
  value: (row: Compressor) => string,
  dispensable?: number
): Column<Compressor> => ({
  title,
  key,
  value,
  text: value,
  left: true,
  ...(dispensable === undefined ? {} : { dispensable })
})

/** What a method must see, in words. */
const observes = ({ needs }: Compressor): string => {
  const { attention, keys, values, queries } = needs
  const seen = [
    ...(attention === undefined
      ? []
      : [`attention (${attention.over}${attention.verify === true ? ", verify" : ""})`]),
    ...(keys === true ? ["keys"] : []),
    ...(values === true ? ["values"] : []),
    ...(queries === undefined ? [] : ["queries"])
  ]
  return seen.length === 0 ? "nothing" : seen.join(", ")
}

const COLUMNS: readonly Column<Compressor>[] = [
  column("compressor", "name", ({ name }) => name),
  column("kind", "kind", ({ kind }) => kind),
  column("mode", "mode", ({ mode }) => mode, 3),
  column("--keep", "takes_keep", ({ takesKeep }) => (takesKeep ? "yes" : "fixed"), 2),
  column("observes", "observes", observes, 4),
  column("what it does", "summary", ({ summary }) => summary, 1),
  column("source", "source", ({ source }) => source, 5)
]

export const compressorsCommand = Command.make(
  "compressors",
  {
    format: Flag.Literals("format", FORMATS).pipe(
      Flag.withAlias("f"),
      Flag.withDescription("Format of the list on stdout"),
      Flag.withDefault("table")
    )
  },
  ({ format }) =>
    Console.log(
      format === "json"
        ? JSON.stringify(objects(COLUMNS, COMPRESSORS), undefined, 2)
        : format === "table"
          ? plainTable(fitting(COLUMNS, COMPRESSORS, process.stdout.columns ?? Infinity), COMPRESSORS)
          : renderGrid(format, COLUMNS, COMPRESSORS)
    )
).pipe(
  Command.withDescription(
    "List the compression methods of the engine. Pairs such as h2o+k8v4 and modules of your own can be named as well"
  )
)
