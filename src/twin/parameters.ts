/** The figures of a hardware profile that recorded runs can refit, as logarithms a solver may move. */
import { type Efficiency, type Hardware, OPERATIONS, type Operation } from "../scenario/resolved.ts"

/** One figure: where it is in a profile, and between which values it may lie. */
export interface Figure {
  readonly name: string
  /** Undefined: the profile does not have it. */
  readonly get: (hardware: Hardware) => number | undefined
  /** Where to look for it then. */
  readonly guess?: (hardware: Hardware) => number
  readonly set: (hardware: Hardware, value: number) => Hardware
  readonly bounds: readonly [low: number, high: number]
}

const share = (operation: Operation, side: "memory" | "compute"): Figure => ({
  name: `efficiency.${operation}.${side}`,
  get: ({ efficiency }) => efficiency[operation][side],
  set: (hardware, value) => ({
    ...hardware,
    efficiency: { ...hardware.efficiency, [operation]: { ...hardware.efficiency[operation], [side]: value } }
  }),
  // A share of the peak: nothing reaches it wholly, and a share below a thousandth is another machine.
  bounds: [1e-3, 0.99]
})

/** What launching a matmul costs, and with it in proportion every other launch: in whole passes they cannot be told from each other. */
const launches: Figure = {
  name: "efficiency.matmul.overhead",
  get: ({ efficiency }) => efficiency.matmul.overhead,
  set: (hardware, overhead) => {
    const { efficiency } = hardware
    const factor = overhead / efficiency.matmul.overhead
    return {
      ...hardware,
      efficiency: {
        matmul: { ...efficiency.matmul, overhead },
        "attention-decode": launched(efficiency["attention-decode"], factor),
        "attention-prefill": launched(efficiency["attention-prefill"], factor),
        elementwise: launched(efficiency.elementwise, factor),
        "lm-head": launched(efficiency["lm-head"], factor)
      }
    }
  },
  bounds: [1e-9, 1]
}

const launched = (kind: Efficiency, factor: number): Efficiency => ({
  ...kind,
  overhead: kind.overhead * factor
})

/** What a block of rows costs, where the profile says how many rows that is; looked for from a launch's cost on. */
const rowBlock = (operation: "matmul" | "lm-head"): Figure => ({
  name: `efficiency.${operation}.per_block`,
  get: ({ efficiency: { [operation]: kind } }) => kind.perBlock,
  guess: ({ efficiency: { [operation]: kind } }) => Math.max(kind.overhead, 1e-5),
  set: (hardware, perBlock) => ({
    ...hardware,
    efficiency: { ...hardware.efficiency, [operation]: { ...hardware.efficiency[operation], perBlock } }
  }),
  bounds: [1e-9, 1]
})

/** What an entry costs that is packed when a context is compressed; looked for from a step's overhead for a hundred of them on where a profile does not say. */
const compression: Figure = {
  name: "compression_per_entry",
  get: ({ compressionPerEntry }) => compressionPerEntry,
  guess: ({ stepOverhead }) => Math.max(1e-7, stepOverhead / 100),
  set: (hardware, compressionPerEntry) => ({ ...hardware, compressionPerEntry }),
  bounds: [1e-10, 1]
}

/** Host work around a submission, on devices with one queue. */
const submission: Figure = {
  name: "one_queue.submission",
  get: ({ oneQueue }) => oneQueue?.submission ?? 0,
  set: (hardware, value) =>
    hardware.oneQueue === undefined
      ? hardware
      : { ...hardware, oneQueue: { ...hardware.oneQueue, submission: value } },
  bounds: [1e-7, 1]
}

/** The link, where passes say how fast it is: they wait for what streams into them. */
const streaming: Figure = {
  name: "link.host_to_device",
  get: ({ link }) => link.hostToDevice,
  set: (hardware, hostToDevice) => ({ ...hardware, link: { ...hardware.link, hostToDevice } }),
  bounds: [1e3, 1e14]
}

/** Figures of a profile's passes; `streams`: some of them read KV as it comes. */
export const passFigures = (
  { oneQueue, matmulBlock: blocks, efficiency }: Hardware,
  streams: boolean
): readonly Figure[] => [
  {
    name: "step_overhead",
    get: ({ stepOverhead }) => stepOverhead,
    set: (hardware, stepOverhead) => ({ ...hardware, stepOverhead }),
    bounds: [1e-7, 1]
  },
  {
    name: "step_overhead_per_request",
    get: ({ stepOverheadPerRequest }) => stepOverheadPerRequest,
    set: (hardware, stepOverheadPerRequest) => ({ ...hardware, stepOverheadPerRequest }),
    bounds: [1e-8, 1]
  },
  compression,
  ...(efficiency.matmul.overhead > 0 ? [launches] : []),
  ...(oneQueue === undefined ? [] : streams ? [submission, streaming] : [submission]),
  ...(blocks === undefined ? [] : [rowBlock("matmul"), rowBlock("lm-head")]),
  ...OPERATIONS.flatMap((operation) => [share(operation, "memory"), share(operation, "compute")])
]

const within = ([low, high]: Figure["bounds"], value: number): number =>
  Math.log(Math.min(high, Math.max(low, value)))

/** Where to look for the figures of a profile, as logarithms: where they stand, or where they are guessed. */
export const startOf = (figures: readonly Figure[], hardware: Hardware): readonly number[] =>
  figures.map(({ get, guess, bounds }) => within(bounds, get(hardware) ?? guess?.(hardware) ?? bounds[0]))
/** What they have if they are not told: a figure the profile lacks is next to nothing. */
export const keptOf = (figures: readonly Figure[], hardware: Hardware): readonly number[] =>
  figures.map(({ get, bounds }) => within(bounds, get(hardware) ?? bounds[0]))
/** Between which values they may move. */
export const boundsOf = (figures: readonly Figure[]): readonly (readonly [number, number])[] =>
  figures.map(({ bounds: [low, high] }) => [Math.log(low), Math.log(high)] as const)

/** The profile with the figures whose logarithms these are; those of which `keeps` says so stay. */
export const withLogarithms = (
  figures: readonly Figure[],
  hardware: Hardware,
  values: readonly number[],
  keeps: (index: number) => boolean = () => false
): Hardware =>
  figures.reduce((profile, { set }, i) => (keeps(i) ? profile : set(profile, Math.exp(values[i]!))), hardware)
