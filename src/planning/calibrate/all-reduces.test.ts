import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { fitAllReduces, isNcclTests, readNcclTests } from "./all-reduces.ts"

/** Output of nccl-tests over `ranks`, whose all-reduce of so many bytes takes `micros`; `share`: busbw over algbw. */
const output = (
  ranks: number,
  sizes: readonly number[],
  micros: (bytes: number) => number,
  share = (2 * (ranks - 1)) / ranks
): string => {
  const columns = (bytes: number): string => {
    const time = micros(bytes)
    const rate = bytes / time / 1e3
    return `${time.toFixed(2).padStart(9)} ${rate.toFixed(2).padStart(7)} ${(rate * share).toFixed(2).padStart(7)}      0`
  }
  return [
    "# nThread 1 nGpus 1 minBytes 8 maxBytes 33554432 step: 2(factor) warmup iters: 5 iters: 20 agg iters: 1 validation: 1 graph: 1",
    "# Using devices",
    ...Array.from(
      { length: ranks },
      (_, i) => `#  Rank  ${i} Group  0 Pid  47450 on  node device  ${i} [0x16] GPU`
    ),
    "#                                                              out-of-place                       in-place          ",
    "#       size         count      type   redop    root     time   algbw   busbw #wrong     time   algbw   busbw #wrong",
    "#        (B)    (elements)                               (us)  (GB/s)  (GB/s)            (us)  (GB/s)  (GB/s)       ",
    ...sizes.map(
      (bytes) =>
        `${String(bytes).padStart(12)} ${String(bytes / 4).padStart(13)}     float     sum      -1 ${columns(bytes)} ${columns(bytes)}`
    ),
    "# Out of bounds values : 0 OK",
    "# Avg bus bandwidth    : 9.13"
  ].join("\n")
}

const SIZES = Array.from({ length: 20 }, (_, i) => 8 * 2 ** i).concat(8 * 2 ** 22)

const read = (text: string) => {
  const { reduces, faults } = readNcclTests("nccl.txt", text)
  if (reduces === undefined) throw new Error(faults[0]!.message)
  return reduces
}

describe("all-reduces of nccl-tests", () => {
  it("give latency and bandwidth back, whatever the ranks", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 16 }),
        fc.double({ min: 1, max: 900, noNaN: true }),
        fc.double({ min: 5, max: 100, noNaN: true }),
        (ranks, gigabytes, latency) => {
          const ring = (2 * (ranks - 1)) / ranks
          const fit = fitAllReduces(
            read(output(ranks, SIZES, (bytes) => latency + (ring * bytes) / (gigabytes * 1e3)))
          )
          if ("problem" in fit) throw new Error(fit.problem)
          expect(fit.bandwidth / (gigabytes * 1e9)).toBeCloseTo(1, 1)
          expect(fit.latency / (latency * 1e-6)).toBeCloseTo(1, 1)
          expect(fit.heldOutWorstError).toBeLessThan(0.01)
        }
      ),
      { numRuns: 50 }
    )
  })

  it("are told by their head, and only sizes a model reduces are taken", () => {
    const text = output(2, SIZES, (bytes) => 15 + bytes / 17e3)
    expect([isNcclTests(text), isNcclTests("bytes,time_us\n8,1\n")]).toEqual([true, false])
    expect(read(text).samples.map(({ bytes }) => bytes)).toEqual(SIZES.filter((bytes) => bytes >= 4096))
  })

  it("are refused with the line where they are something else", () => {
    const gathers = output(2, SIZES, (bytes) => 15 + bytes / 17e3, 0.5)
    expect(readNcclTests("nccl.txt", gathers).faults).toMatchObject([
      {
        line: 19,
        message: expect.stringContaining("busbw is 0.50 of algbw, expected 1.00"),
        suggestion: "all_reduce_perf gives them"
      }
    ])
    expect(
      readNcclTests(
        "nccl.txt",
        output(1, SIZES, () => 5)
      ).faults[0]!.message
    ).toMatch(/two ranks.*found 1/)
    expect(
      readNcclTests(
        "nccl.txt",
        output(2, [4096, 8192], () => 5)
      ).faults[0]!.message
    ).toMatch(/found 2/)
    expect(fitAllReduces(read(output(2, SIZES, (bytes) => 1e6 / bytes + 1)))).toHaveProperty("problem")
  })

  it("that were published of two RTX PRO 6000 are the catalog's figures", () => {
    // casys-kaist/LLMServingSim, profiler/perf/RTXPRO6000/hardware.yaml, commit e08dc38: bytes and microseconds in CUDA graphs.
    const published = new Map([
      [10_240, 16.24],
      [40_960, 17.5],
      [139_264, 22.78],
      [327_680, 30.6],
      [557_056, 42.64],
      [1_114_112, 78.36],
      [1_310_720, 90.59],
      [2_228_224, 148.95],
      [5_242_880, 335.41],
      [8_912_896, 566.73],
      [16_777_216, 1051.83],
      [20_971_520, 1309.13]
    ])
    const fit = fitAllReduces(read(output(2, [...published.keys()], (bytes) => published.get(bytes)!)))
    if ("problem" in fit) throw new Error(fit.problem)
    expect(fit.bandwidth / 17e9).toBeCloseTo(1, 1)
    expect(fit.latency / 14.5e-6).toBeCloseTo(1, 1)
    expect(fit.heldOutWorstError).toBeLessThan(0.12)
  })
})
