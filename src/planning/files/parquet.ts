/** Parquet, compressed with Snappy: what data frames read fastest. */
import { parquetMetadata, parquetReadObjects } from "hyparquet"
import { ByteWriter, ParquetWriter, schemaFromColumnData } from "hyparquet-writer"
import type { Cell, Column, Row, TableFormat } from "./table.ts"

/** Name of the recipe among the file's key-value metadata. */
const RECIPE = "vericache.sweep"

/** Rows of a row group. */
const GROUP = 10_000

const TYPES = { number: "DOUBLE", whole: "INT64", text: "STRING", boolean: "BOOLEAN" } as const

const stored = (cell: Cell, type: Column["type"]): unknown =>
  cell !== undefined && type === "whole" ? BigInt(cell) : cell

const columnData = (columns: readonly Column[], rows: readonly Row[]) =>
  columns.map(({ name, type }, i) => ({
    name,
    data: rows.map((row) => stored(row[i], type)),
    type: TYPES[type]
  }))

const cellOf = (value: unknown): Cell => {
  if (typeof value === "bigint") return Number(value)
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? value
    : undefined
}

export const parquetFormat: TableFormat = {
  *encode(columns, rows, recipe) {
    const writer = new ByteWriter()
    const schema = schemaFromColumnData({ columnData: columnData(columns, []) })
    const file = new ParquetWriter({
      writer,
      schema,
      createdBy: "vericache",
      ...(recipe === undefined ? {} : { kvMetadata: [{ key: RECIPE, value: recipe }] })
    })
    let group: Row[] = []
    const flush = (): void => {
      if (group.length > 0)
        void file.write({
          columnData: columnData(columns, group).map(({ name, data }) => ({ name, data })),
          rowGroupSize: GROUP
        })
      group = []
    }
    for (const row of rows) {
      group.push(row)
      if (group.length === GROUP) flush()
    }
    flush()
    void file.finish()
    yield writer.getBytes()
  },
  decode: async (bytes, typeOf) => {
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer
    const { schema, key_value_metadata: metadata = [] } = parquetMetadata(file)
    const recipe = metadata.find(({ key }) => key === RECIPE)?.value
    const columns = schema.slice(1).map(({ name, type }): Column => {
      const inFile =
        type === "BOOLEAN" ? "boolean" : type === "INT64" ? "whole" : type === "DOUBLE" ? "number" : "text"
      return { name, type: typeOf(name) ?? inFile }
    })
    const objects = await parquetReadObjects({ file })
    return {
      columns,
      ...(recipe === undefined ? {} : { recipe }),
      rows: objects.map((one) =>
        columns.map(({ name }) => cellOf((one as Readonly<Record<string, unknown>>)[name]))
      )
    }
  }
}
