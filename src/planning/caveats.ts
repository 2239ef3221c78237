/** What makes modelled figures weaker evidence than others: said wherever they are shown. */
import type { Hardware } from "../scenario/resolved.ts"
import type { TableName } from "../sim/cost/interpolate.ts"

const TABLES: Readonly<Record<TableName, string>> = {
  dense: "linear layers",
  attentionDecode: "decode attention",
  attentionPrefill: "prefill attention",
  attentionMixed: "attention of prompts beside decoding requests",
  lmHead: "the output head"
}

/** Goes wherever hardware is named whose times are a CPU's. */
export const SOFTWARE = "software adapter: no evidence of GPU speed"

/** `extrapolated`: measured kernel times that the run went beyond. */
export const caveatsOf = ({ adapter }: Hardware, extrapolated: Iterable<TableName>): readonly string[] => {
  const beyond = [...extrapolated].map((table) => TABLES[table])
  return [
    ...(adapter?.kind === "software" ? [SOFTWARE] : []),
    ...(beyond.length === 0 ? [] : [`extrapolated beyond measured kernel times: ${beyond.join(", ")}`])
  ]
}
