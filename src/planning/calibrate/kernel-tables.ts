/**
 * Layer profiles (casys-kaist/LLMServingSim's layout) as the kernel tables a simulation interpolates in. Their files are told
 * apart by their header: linear layers by tokens, attention of a pass by its prefill chunk and its decode batch, output
 * head and sampler by sequences, experts by tokens and how many of them are chosen. Times are microseconds of one layer, on one rank.
 */
import type { Fault } from "../../scenario/fault.ts"
import type { KernelTables } from "../../scenario/resolved.ts"
import { covers, interpolate } from "../../sim/cost/interpolate.ts"
import { type ExpertCall, type Experts, expertTable } from "./experts.ts"
import { type CsvRow, headerOf, type Layout, readCsv } from "./csv.ts"

/** Which file it is, by the header it must have. */
export const PROFILE_LAYOUTS = {
  dense: { layer: "name", tokens: "count", time_us: "positive" },
  attention: {
    prefill_chunk: "count",
    kv_prefill: "count",
    n_decode: "count",
    kv_decode: "count",
    time_us: "positive"
  },
  "per-sequence": { layer: "name", sequences: "count", time_us: "positive" },
  experts: { ep: "count", tokens: "count", activated_experts: "count", time_us: "positive" }
} as const satisfies Readonly<Record<string, Layout>>
export type ProfilePart = keyof typeof PROFILE_LAYOUTS

/** What a profile measured, seconds. */
export interface LayerProfile {
  /** One kind of linear or elementwise layer at so many tokens. */
  readonly dense: readonly { readonly layer: string; readonly tokens: number; readonly seconds: number }[]
  /** One attention call: a chunk after `cached` tokens, together with `requests` decoding at `kvTokens` each. */
  readonly attention: readonly {
    readonly chunk: number
    readonly cached: number
    readonly requests: number
    readonly kvTokens: number
    readonly seconds: number
  }[]
  readonly perSequence: readonly {
    readonly layer: string
    readonly sequences: number
    readonly seconds: number
  }[]
  readonly experts: readonly ExpertCall[]
}

export const EMPTY_PROFILE: LayerProfile = { dense: [], attention: [], perSequence: [], experts: [] }

/** Which part of a layer profile a text is, if it is one. */
export const profilePart = (text: string): ProfilePart | undefined => {
  const header = headerOf(text)
  return (Object.keys(PROFILE_LAYOUTS) as ProfilePart[]).find(
    (part) => Object.keys(PROFILE_LAYOUTS[part]).join(",") === header
  )
}

/** Times a layer of each kind runs in a decoder layer; kinds that run once a pass are left out. */
const PER_LAYER: Readonly<Record<string, number>> = {
  layernorm: 2,
  qkv_proj: 1,
  qk_norm: 1,
  rotary_emb: 1,
  o_proj: 1,
  gate_up_proj: 1,
  act_fn: 1,
  down_proj: 1
}
/** Kinds that run once a pass: little beside the rest, and counted with the output head where it is measured. */
const ONCE: readonly string[] = ["embedding", "final_layernorm"]
const PER_SEQUENCE: readonly string[] = ["lm_head", "sampler"]

const seconds = (row: CsvRow): number => Number(row["time_us"]) * 1e-6

/** Reads one file of a profile. */
export const readProfilePart = (
  part: ProfilePart,
  file: string,
  text: string
): { readonly profile: LayerProfile; readonly faults: readonly Fault[] } => {
  const { rows, faults } = readCsv(file, text, PROFILE_LAYOUTS[part])
  const known = part === "dense" ? [...Object.keys(PER_LAYER), ...ONCE] : PER_SEQUENCE
  const strangers =
    part === "attention" || part === "experts"
      ? []
      : [...new Set(rows.map((row) => String(row["layer"])))].filter((name) => !known.includes(name))
  const all: Fault[] = [
    ...faults,
    ...strangers.map((name) => ({
      file,
      line: text.split("\n").findIndex((line) => line.startsWith(`${name},`)) + 1,
      column: 1,
      field: "layer",
      message: `${name} has no meaning here`,
      suggestion: `known are ${known.join(", ")}`
    }))
  ]
  const n = (row: CsvRow, name: string): number => Number(row[name])
  switch (part) {
    case "dense":
      return {
        profile: {
          ...EMPTY_PROFILE,
          dense: rows.map((row) => ({
            layer: String(row["layer"]),
            tokens: n(row, "tokens"),
            seconds: seconds(row)
          }))
        },
        faults: all
      }
    case "attention":
      return {
        profile: {
          ...EMPTY_PROFILE,
          attention: rows.map((row) => ({
            chunk: n(row, "prefill_chunk"),
            cached: n(row, "kv_prefill"),
            requests: n(row, "n_decode"),
            kvTokens: n(row, "kv_decode"),
            seconds: seconds(row)
          }))
        },
        faults: all
      }
    case "per-sequence":
      return {
        profile: {
          ...EMPTY_PROFILE,
          perSequence: rows.map((row) => ({
            layer: String(row["layer"]),
            sequences: n(row, "sequences"),
            seconds: seconds(row)
          }))
        },
        faults: all
      }
    case "experts":
      return {
        profile: {
          ...EMPTY_PROFILE,
          experts: rows.map((row) => ({
            ranks: n(row, "ep"),
            tokens: n(row, "tokens"),
            activated: n(row, "activated_experts"),
            seconds: seconds(row)
          }))
        },
        faults: all
      }
  }
}

export const joinProfiles = (parts: readonly LayerProfile[]): LayerProfile => ({
  dense: parts.flatMap(({ dense }) => dense),
  attention: parts.flatMap(({ attention }) => attention),
  perSequence: parts.flatMap(({ perSequence }) => perSequence),
  experts: parts.flatMap(({ experts }) => experts)
})

const ascending = (values: Iterable<number>): readonly number[] =>
  [...new Set(values)].toSorted((a, b) => a - b)

/** Sum over kinds of layers at each size that all of them were measured at. */
const summed = (
  rows: readonly { readonly layer: string; readonly size: number; readonly seconds: number }[],
  weight: (layer: string) => number
): { readonly sizes: readonly number[]; readonly seconds: readonly number[] } | undefined => {
  const used = rows.filter(({ layer }) => weight(layer) > 0)
  const kinds = new Set(used.map(({ layer }) => layer)).size
  const times = new Map<number, { sum: number; seen: Set<string> }>()
  for (const { layer, size, seconds: time } of used) {
    const at = times.get(size) ?? { sum: 0, seen: new Set<string>() }
    if (!at.seen.has(layer)) at.sum += weight(layer) * time
    at.seen.add(layer)
    times.set(size, at)
  }
  const sizes = ascending(times.keys()).filter((size) => size > 0 && times.get(size)!.seen.size === kinds)
  return sizes.length === 0 ? undefined : { sizes, seconds: sizes.map((size) => times.get(size)!.sum) }
}

type Point = LayerProfile["attention"][number]
type Axis = "chunk" | "cached" | "requests" | "kvTokens"

/**
 * The largest full grid over `axes` found by leaving out, one by one, the value with the most holes: measured grids have
 * corners that did not fit into memory. Undefined if nothing is left to interpolate in.
 */
export const fullGrid = <A extends Axis>(
  points: readonly Point[],
  axes: readonly A[]
):
  | {
      readonly values: Readonly<Record<A, readonly number[]>>
      readonly at: (place: Readonly<Record<A, number>>) => number
    }
  | undefined => {
  const values = Object.fromEntries(
    axes.map((axis) => [axis, ascending(points.map((point) => point[axis]))])
  ) as unknown as Record<A, readonly number[]>
  const key = (place: Readonly<Record<A, number>>): string => axes.map((axis) => place[axis]).join(" ")
  let kept = points
  for (;;) {
    const cells = axes.reduce((product, axis) => product * values[axis].length, 1)
    if (cells === 0) return undefined
    if (kept.length === cells) break
    let worst: { readonly axis: A; readonly value: number; readonly filled: number } | undefined
    for (const axis of axes) {
      for (const value of values[axis]) {
        const filled = kept.filter((point) => point[axis] === value).length / (cells / values[axis].length)
        if (worst === undefined || filled < worst.filled) worst = { axis, value, filled }
      }
    }
    const { axis, value } = worst!
    values[axis] = values[axis].filter((one) => one !== value)
    kept = kept.filter((point) => point[axis] !== value)
  }
  const times = new Map(kept.map((point) => [key(point), point.seconds]))
  return { values, at: (place) => times.get(key(place))! }
}

/** Points without repeats: the first of those measured at the same place. */
const distinct = (points: readonly Point[]): readonly Point[] => [
  ...new Map(
    points
      .toReversed()
      .map((point) => [`${point.chunk} ${point.cached} ${point.requests} ${point.kvTokens}`, point])
  ).values()
]

/** The time of the experts added to that of the other layers, at the sizes that both were measured at or between. */
const withExperts = (
  dense: ReturnType<typeof summed>,
  calls: readonly ExpertCall[],
  shape: Experts | undefined
): ReturnType<typeof summed> => {
  if (dense === undefined || shape === undefined) return dense
  const { tokens, seconds: times } = expertTable(calls, shape)
  if (tokens.length === 0) return undefined
  const sizes = dense.sizes.filter((size) => covers(tokens, size))
  const at = new Map(dense.sizes.map((size, i) => [size, dense.seconds[i]!]))
  return { sizes, seconds: sizes.map((size) => at.get(size)! + interpolate(tokens, times, size)) }
}

/** Tables of what a profile measured; `source` says where it is from, `shape` what experts its model has. */
export const tablesOfProfile = (profile: LayerProfile, source: string, shape?: Experts): KernelTables => {
  const points = distinct(profile.attention)
  const dense = withExperts(
    summed(
      profile.dense.map(({ layer, tokens, seconds: time }) => ({ layer, size: tokens, seconds: time })),
      (layer) => PER_LAYER[layer] ?? 0
    ),
    profile.experts,
    shape
  )
  const head = summed(
    profile.perSequence.map(({ layer, sequences, seconds: time }) => ({
      layer,
      size: sequences,
      seconds: time
    })),
    () => 1
  )
  const decode = fullGrid(
    points.filter(({ chunk, requests }) => chunk === 0 && requests > 0),
    ["requests", "kvTokens"]
  )
  const prefill = fullGrid(
    points.filter(({ chunk, requests }) => chunk > 0 && requests === 0),
    ["chunk", "cached"]
  )
  const mixed = fullGrid(
    points.filter(({ chunk, requests }) => chunk > 0 && requests > 0),
    ["chunk", "cached", "requests", "kvTokens"]
  )
  return {
    origin: { basis: "measured", source },
    ...(dense === undefined ? {} : { dense: { tokens: dense.sizes, seconds: dense.seconds } }),
    ...(decode === undefined
      ? {}
      : {
          attentionDecode: {
            ...decode.values,
            seconds: decode.values.requests.map((requests) =>
              decode.values.kvTokens.map((kvTokens) => decode.at({ requests, kvTokens }))
            )
          }
        }),
    ...(prefill === undefined
      ? {}
      : {
          attentionPrefill: {
            ...prefill.values,
            seconds: prefill.values.chunk.map((chunk) =>
              prefill.values.cached.map((cached) => prefill.at({ chunk, cached }))
            )
          }
        }),
    ...(mixed === undefined
      ? {}
      : {
          attentionMixed: {
            ...mixed.values,
            seconds: mixed.values.chunk.map((chunk) =>
              mixed.values.cached.map((cached) =>
                mixed.values.requests.map((requests) =>
                  mixed.values.kvTokens.map((kvTokens) => mixed.at({ chunk, cached, requests, kvTokens }))
                )
              )
            )
          }
        }),
    ...(head === undefined ? {} : { lmHead: { sequences: head.sizes, seconds: head.seconds } })
  }
}
