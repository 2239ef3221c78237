/**
 * All-reduces of a tensor-parallel group as NVIDIA's nccl-tests print them (`all_reduce_perf`), and the latency and bandwidth they
 * come to: t = latency + 2(n−1)/n · bytes ÷ bandwidth, a ring of n ranks. Times are those out of place, as engines issue them.
 */
import type { Fault } from "../../scenario/fault.ts"

export interface AllReduces {
  readonly ranks: number
  /** Bytes of what is reduced, seconds. */
  readonly samples: readonly { readonly bytes: number; readonly seconds: number }[]
}

export interface AllReduceFit {
  /** Bytes/s over each rank's link, seconds. */
  readonly bandwidth: number
  readonly latency: number
  readonly samples: number
  readonly heldOut: number
  /** Relative errors of the sizes kept apart: median, largest. */
  readonly heldOutMedianError: number
  readonly heldOutWorstError: number
}

/** Whether a text is output of nccl-tests: its head names both bandwidths. */
export const isNcclTests = (text: string): boolean => /^#.*\balgbw\b.*\bbusbw\b/m.test(text)

/** size, count, type, redop, root, then time, algbw, busbw out of place. */
const ROW = /^\s*(\d+)\s+\d+\s+\w+\s+\S+\s+-?\d+\s+([\d.]+)\s+([\d.]+)\s+([\d.]+)\s/
/** Nothing a model reduces is smaller: one position has some thousand elements of two bytes. */
const LEAST_BYTES = 4096
/** Rates are printed with two decimals; below this their ratio says nothing. */
const LEAST_RATE = 1

/** Reads the output; what is not an all-reduce is refused with the line that shows it. */
export const readNcclTests = (
  file: string,
  text: string
): { readonly reduces: AllReduces | undefined; readonly faults: readonly Fault[] } => {
  const fault = (line: number, message: string, suggestion?: string) => ({
    reduces: undefined,
    faults: [
      { file, line, column: 1, field: "", message, ...(suggestion === undefined ? {} : { suggestion }) }
    ]
  })
  const lines = text.split("\n")
  const ranks = lines.filter((line) => /^#\s+Rank\s+\d+\s/.test(line)).length
  if (ranks < 2)
    return fault(1, `expected the devices of at least two ranks ("#  Rank  0 …"), found ${ranks}`)
  const samples: { bytes: number; seconds: number }[] = []
  const ring = (2 * (ranks - 1)) / ranks
  for (const [i, line] of lines.entries()) {
    const row = ROW.exec(line)
    if (row === null) continue
    const [bytes, time, algorithm, bus] = row.slice(1).map(Number) as [number, number, number, number]
    if (algorithm >= LEAST_RATE && Math.abs(bus / algorithm - ring) > 0.02 * ring)
      return fault(
        i + 1,
        `not all-reduces over ${ranks} ranks: busbw is ${(bus / algorithm).toFixed(2)} of algbw, expected ${ring.toFixed(2)}`,
        "all_reduce_perf gives them"
      )
    if (bytes >= LEAST_BYTES && time > 0) samples.push({ bytes, seconds: time * 1e-6 })
  }
  return samples.length < 4
    ? fault(1, `expected at least four sizes from ${LEAST_BYTES} bytes on, found ${samples.length}`)
    : { reduces: { ranks, samples }, faults: [] }
}

/** Least squares of relative errors over `samples`: seconds, and seconds a byte. */
const line = (samples: AllReduces["samples"]): readonly [number, number] => {
  let [ones, mixed, squares, left, right] = [0, 0, 0, 0, 0]
  for (const { bytes, seconds } of samples) {
    ones += 1 / seconds ** 2
    mixed += bytes / seconds ** 2
    squares += (bytes / seconds) ** 2
    left += 1 / seconds
    right += bytes / seconds
  }
  const determinant = ones * squares - mixed ** 2
  return [(left * squares - right * mixed) / determinant, (ones * right - mixed * left) / determinant]
}

/** Fitted to every second size, judged by the others. */
export const fitAllReduces = ({
  ranks,
  samples
}: AllReduces): AllReduceFit | { readonly problem: string } => {
  const sizes = samples.toSorted((a, b) => a.bytes - b.bytes)
  const fitted = sizes.filter((_, i) => i % 2 === 0)
  const others = sizes.filter((_, i) => i % 2 === 1)
  const [latency, perByte] = line(fitted)
  if (!(perByte > 0 && latency >= 0))
    return {
      problem: "all-reduces do not take longer the larger they are: no bandwidth can be told from them"
    }
  const off = others
    .map(({ bytes, seconds }) => Math.abs((latency + bytes * perByte) / seconds - 1))
    .toSorted((a, b) => a - b)
  return {
    bandwidth: (2 * (ranks - 1)) / ranks / perByte,
    latency,
    samples: fitted.length,
    heldOut: others.length,
    heldOutMedianError: off[off.length >> 1]!,
    heldOutWorstError: off.at(-1)!
  }
}
