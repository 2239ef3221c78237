/** What of a trace is looked at and how, as it stands in the address. Pure. */
import { type Mark, marksOf } from "./marks.ts"
import { clamped, parsed, type Viewport } from "./viewport.ts"

export interface Looking {
  readonly view: Viewport
  /** Row of the trace whose slice is selected. */
  readonly slice: number | undefined
  /** The selected stretch. */
  readonly area: Viewport | undefined
  readonly filter: string
  /** No request is folded. */
  readonly all: boolean
  /** Keys of rows that stay on top, and of rows whose rows below are hidden. */
  readonly pins: ReadonlySet<string>
  readonly shut: ReadonlySet<string>
  readonly marks: readonly Mark[]
}

type Address = Readonly<Record<string, string>>

/** What an address asks for; what it does not say, or says wrongly, is as at the start. */
export const lookingAt = (address: Address, run: Viewport): Looking => ({
  view: clamped(parsed(address["range"]) ?? run, run),
  slice: /^\d{1,10}$/.test(address["slice"] ?? "") ? Number(address["slice"]) : undefined,
  area: parsed(address["area"]),
  filter: address["filter"] ?? "",
  all: address["all"] !== undefined,
  pins: keysOf(address["pins"]),
  shut: keysOf(address["shut"]),
  marks: marksOf(address["marks"])
})

const keysOf = (text: string | undefined): ReadonlySet<string> =>
  new Set((text ?? "").split(" ").filter((key) => key !== ""))

/** Keys as they stand in an address, with one of them put in or taken out; undefined if none is left. */
export const toggled = (keys: ReadonlySet<string>, key: string): string | undefined => {
  const left = keys.has(key) ? [...keys].filter((one) => one !== key) : [...keys, key]
  return left.length === 0 ? undefined : left.join(" ")
}
