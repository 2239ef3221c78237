import { Console, Effect } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { explain, type Explanation, type Quantity } from "../../sim/theory/explain.ts"
import { readScenario } from "../files.ts"
import { type Column, FORMATS, objects, renderGrid } from "../output/grid.ts"
import { bytes, seconds, significant } from "../output/number.ts"

interface Row extends Quantity {
  readonly method: string
}

const shown = ({ value, unit }: Quantity): string => {
  if (value === undefined) return "–"
  switch (unit) {
    case "bytes":
      return bytes(value)
    case "bytes/s":
      return `${bytes(value)}/s`
    case "seconds":
      return seconds(value)
    case "ratio":
      return significant(value)
    default:
      return `${significant(value)} ${unit}`
  }
}

const columns: readonly Column<Row>[] = [
  {
    title: "method",
    key: "method",
    left: true,
    text: (row) => row.method,
    value: (row) => row.method,
    detail: true
  },
  { title: "", key: "symbol", left: true, text: (row) => row.symbol, value: (row) => row.symbol },
  { title: "quantity", key: "name", left: true, text: (row) => row.name, value: (row) => row.name },
  { title: "value", key: "value", text: shown, value: (row) => row.value },
  { title: "unit", key: "unit", text: (row) => row.unit, value: (row) => row.unit, detail: true },
  { title: "from", key: "source", left: true, text: (row) => row.source, value: (row) => row.source }
]

interface Explained extends Explanation {
  readonly name: string
}

const isSame = (a: Quantity, b: Quantity): boolean => JSON.stringify(a) === JSON.stringify(b)

/** What all methods have in common is said once, ahead of them. */
const sections = (format: "table" | "md", scenario: string, explained: readonly Explained[]): string => {
  const [first, ...others] = explained
  const common = (first?.quantities ?? []).filter(
    (one) =>
      others.length > 0 && others.every(({ quantities }) => quantities.some((other) => isSame(one, other)))
  )
  const commonAssumptions = (first?.assumptions ?? []).filter((one) =>
    others.every(({ assumptions }) => assumptions.includes(one))
  )
  const grid = (quantities: readonly Quantity[]): string =>
    renderGrid(
      format,
      columns,
      quantities.map((quantity) => ({ method: "", ...quantity }))
    )
  const heading = (text: string): string => (format === "md" ? `## ${text}` : text)
  const own = ({ name, quantities, limit, assumptions }: Explained): readonly string[] => {
    const extra = assumptions.filter((one) => !commonAssumptions.includes(one))
    return [
      heading(name),
      grid(quantities.filter((one) => !common.some((shared) => isSame(one, shared)))),
      `limited by ${limit}${extra.length > 0 ? `; assumes: ${extra.join("; ")}` : ""}`
    ]
  }
  const title = `${scenario}: closed forms of arXiv:2605.17613, all modelled`
  return [
    format === "md" ? `# ${title}` : title,
    `assumes: ${commonAssumptions.join("; ")}`,
    ...(common.length > 0 ? [heading("all methods"), grid(common)] : []),
    ...explained.flatMap(own)
  ].join("\n\n")
}

export const theoryCommand = Command.make(
  "theory",
  {
    file: Argument.String("file").pipe(Argument.withDescription("Scenario file")),
    format: Flag.Literals("format", FORMATS).pipe(
      Flag.withAlias("f"),
      Flag.withDescription("Format on stdout"),
      Flag.withDefault("table")
    )
  },
  Effect.fnUntraced(function* ({ file, format }) {
    const scenario = yield* readScenario(file)
    const explained = scenario.methods.map(({ name, method }) => ({ name, ...explain(scenario, method) }))
    const rows = explained.flatMap(({ name, quantities }) =>
      quantities.map((quantity) => ({ method: name, ...quantity }))
    )
    if (format === "json") {
      yield* Console.log(
        JSON.stringify({ scenario: scenario.name, basis: "modelled", methods: explained }, undefined, 2)
      )
      return
    }
    if (format === "csv" || format === "jsonl") {
      yield* Console.log(
        format === "csv"
          ? renderGrid("csv", columns, rows)
          : objects(columns, rows)
              .map((row) => JSON.stringify(row))
              .join("\n")
      )
      return
    }
    yield* Console.log(sections(format, scenario.name, explained))
  })
).pipe(
  Command.withDescription(
    "Print the closed forms (3)–(18) and the ideal optimum of a scenario, quantity by quantity"
  )
)
