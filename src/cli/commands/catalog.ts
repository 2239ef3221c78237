import { Console, Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { type Catalog, type Section, SECTIONS } from "../../scenario/catalog.ts"
import { hardwareOf, modelOf } from "../../scenario/entries.ts"
import { kvBytesPerToken, parameters } from "../../scenario/model-shape.ts"
import type { CompressorFile, DrafterFile } from "../../scenario/schema/drafting.ts"
import type { HardwareFile } from "../../scenario/schema/hardware.ts"
import type { ModelFile } from "../../scenario/schema/model.ts"
import { readCatalog } from "../files.ts"
import { type Column, type Format, FORMATS, objects, renderGrid } from "../output/grid.ts"
import { bytes, significant } from "../output/number.ts"

/** A section as text, or as objects for JSON, whatever its rows are. */
interface Listing {
  readonly text: (format: Exclude<Format, "json">) => string
  readonly objects: () => readonly Record<string, unknown>[]
}

interface Sourced {
  readonly basis: string
  readonly source: string
}

/** Makes columns of one kind of row: shown as the value itself, or as `text` has it. */
const columnsOf =
  <Row>() =>
  (
    title: string,
    key: string,
    value: (row: Row) => string | number,
    text?: (row: Row) => string
  ): Column<Row> => ({
    title,
    key,
    value,
    text: text ?? ((row) => String(value(row))),
    left: text === undefined
  })

const listing = <Row extends Sourced>(columns: readonly Column<Row>[], rows: Iterable<Row>): Listing => {
  const column = columnsOf<Row>()
  const all = [
    ...columns,
    column("basis", "basis", (row) => row.basis),
    column("source", "source", (row) => row.source)
  ]
  return {
    text: (format) => renderGrid(format, all, [...rows]),
    objects: () => objects(all, [...rows])
  }
}

const hardware = ({ hardware: entries }: Catalog): Listing => {
  const column = columnsOf<HardwareFile>()
  return listing(
    [
      column("hardware", "name", (row) => row.name),
      column(
        "HBM",
        "hbm_bytes",
        (row) => hardwareOf(row).hbm.capacity,
        (row) => bytes(hardwareOf(row).hbm.capacity)
      ),
      column(
        "bandwidth",
        "hbm_bytes_per_s",
        (row) => hardwareOf(row).hbm.bandwidth,
        (row) => `${bytes(hardwareOf(row).hbm.bandwidth)}/s`
      ),
      column(
        "bf16",
        "bf16_flop_per_s",
        (row) => hardwareOf(row).flops[16],
        (row) => `${significant(hardwareOf(row).flops[16] / 1e12)} TFLOP/s`
      ),
      column(
        "link in",
        "link_bytes_per_s",
        (row) => hardwareOf(row).link.hostToDevice,
        (row) => `${bytes(hardwareOf(row).link.hostToDevice)}/s`
      )
    ],
    entries.values()
  )
}

const models = ({ models: entries }: Catalog): Listing => {
  const column = columnsOf<ModelFile>()
  return listing(
    [
      column("model", "name", (row) => row.name),
      column(
        "parameters",
        "parameters",
        (row) => parameters(modelOf(row)),
        (row) => `${significant(parameters(modelOf(row)) / 1e9)} B`
      ),
      column(
        "KV a token",
        "kv_bytes_per_token",
        (row) => kvBytesPerToken(modelOf(row)),
        (row) => bytes(kvBytesPerToken(modelOf(row)))
      ),
      column(
        "context",
        "max_positions",
        (row) => row.max_position_embeddings,
        (row) => `${row.max_position_embeddings / 1024}k`
      )
    ],
    entries.values()
  )
}

const compressors = ({ compressors: entries }: Catalog): Listing => {
  const column = columnsOf<CompressorFile>()
  return listing(
    [
      column("compressor", "name", (row) => row.name),
      column("kind", "kind", (row) => row.kind),
      column("mode", "mode", (row) => row.mode),
      column(
        "acceptance known at keep",
        "acceptance",
        (row) =>
          row.acceptance.map(({ keep, models: seen }) => `${keep} on ${seen.join("/")}`).join("; ") ||
          "none published"
      )
    ],
    entries.values()
  )
}

const drafters = ({ drafters: entries }: Catalog): Listing => {
  const column = columnsOf<DrafterFile>()
  return listing(
    [
      column("drafter", "name", (row) => row.name),
      column("kind", "kind", (row) => row.kind),
      column(
        "proposes",
        "num_speculative_tokens",
        (row) => row.num_speculative_tokens,
        (row) => String(row.num_speculative_tokens)
      )
    ],
    entries.values()
  )
}

const sections: Readonly<Record<Section, (catalog: Catalog) => Listing>> = {
  hardware,
  models,
  compressors,
  drafters
}

export const catalogCommand = Command.make(
  "catalog",
  {
    section: Argument.Literals("section", SECTIONS).pipe(
      Argument.withDescription("What to list; everything if absent"),
      Argument.optional
    ),
    format: Flag.Literals("format", FORMATS).pipe(
      Flag.withAlias("f"),
      Flag.withDescription("Format on stdout"),
      Flag.withDefault("table")
    )
  },
  Effect.fnUntraced(function* ({ section, format }) {
    const catalog = yield* readCatalog
    const listings = Option.isSome(section)
      ? [sections[section.value](catalog)]
      : SECTIONS.map((name) => sections[name](catalog))
    if (format === "json") {
      // All sections are one document.
      const value = Option.isSome(section)
        ? listings[0]!.objects()
        : Object.fromEntries(SECTIONS.map((name, i) => [name, listings[i]!.objects()]))
      yield* Console.log(JSON.stringify(value, undefined, 2))
      return
    }
    yield* Console.log(listings.map((one) => one.text(format)).join(format === "jsonl" ? "\n" : "\n\n"))
  })
).pipe(
  Command.withDescription(
    "List hardware, models, compressors and drafters that scenarios can name, with their sources"
  )
)
