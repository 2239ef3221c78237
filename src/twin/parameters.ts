/** The figures of a hardware profile that recorded runs can refit, as logarithms a solver may move. */
import { type Hardware, OPERATIONS, type Operation } from "../scenario/resolved.ts"

/** One figure: where it is in a profile, and between which values it may lie. */
interface Figure {
  readonly name: string
  readonly get: (hardware: Hardware) => number
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

/** Figures of the passes. Launch overheads are left out: in whole passes they cannot be told from the step's. */
export const PASS_FIGURES: readonly Figure[] = [
  {
    name: "step_overhead",
    get: ({ stepOverhead }) => stepOverhead,
    set: (hardware, stepOverhead) => ({ ...hardware, stepOverhead }),
    bounds: [1e-7, 10]
  },
  {
    name: "step_overhead_per_request",
    get: ({ stepOverheadPerRequest }) => stepOverheadPerRequest,
    set: (hardware, stepOverheadPerRequest) => ({ ...hardware, stepOverheadPerRequest }),
    bounds: [1e-8, 1]
  },
  ...OPERATIONS.flatMap((operation) => [share(operation, "memory"), share(operation, "compute")])
]

/** Logarithms of all figures of a profile, in the order of `PASS_FIGURES`, each within its bounds. */
export const logarithms = (hardware: Hardware): readonly number[] =>
  PASS_FIGURES.map(({ get, bounds: [low, high] }) => Math.log(Math.min(high, Math.max(low, get(hardware)))))

export const LOGARITHMIC_BOUNDS = PASS_FIGURES.map(
  ({ bounds: [low, high] }) => [Math.log(low), Math.log(high)] as const
)

/** The profile with the figures whose logarithms these are; those of which `keeps` says so stay. */
export const withLogarithms = (
  hardware: Hardware,
  values: readonly number[],
  keeps: (index: number) => boolean = () => false
): Hardware =>
  PASS_FIGURES.reduce(
    (profile, { set }, i) => (keeps(i) ? profile : set(profile, Math.exp(values[i]!))),
    hardware
  )
