/** The fields that sliders and pickers set, with what they are now. */
import type { Scenario } from "../../scenario/resolved.ts"
import { CATALOG } from "./library.ts"
import type { Control } from "./protocol.ts"

const GIB = 2 ** 30

/** Controls of a scenario; those of rounds are of its first VeriCache method. */
export const controlsOf = (scenario: Scenario): readonly Control[] => {
  const { model, hardware, workload } = scenario
  const machine = { basis: hardware.origin.basis, source: hardware.origin.source }
  const stated = { basis: "assumed", source: "the scenario" } as const
  const pick = (
    label: string,
    field: string,
    value: string,
    options: Iterable<string>,
    definition: string
  ): Control => ({
    label,
    field,
    value,
    options: [...options],
    definition,
    unit: "",
    range: undefined,
    ...stated
  })
  const slide = (
    label: string,
    field: string,
    value: number | string | undefined,
    unit: string,
    [min, max, log]: readonly [min: number, max: number, log: boolean],
    definition: string,
    from: Pick<Control, "basis" | "source"> = stated
  ): Control => ({
    label,
    field,
    value,
    unit,
    definition,
    options: undefined,
    range: { min, max, log },
    ...from
  })

  const place = scenario.methods.findIndex(({ method }) => method.kind === "vericache")
  const method = scenario.methods[place]?.method
  const at = `methods[${place}].vericache`
  const arrivals = workload.kind === "synthetic" ? workload.arrivals : undefined
  const input = workload.kind === "synthetic" ? workload.input : undefined
  return [
    pick("Model", "model", model.name, CATALOG.models.keys(), "Model that is served, from the catalog"),
    pick("GPU", "hardware", hardware.name, CATALOG.hardware.keys(), "GPU and its host, from the catalog"),
    ...(method?.kind === "vericache"
      ? [
          pick(
            "Compressor",
            `${at}.compressor`,
            method.compressor.name,
            CATALOG.compressors.keys(),
            "How the KV cache that drafts is compressed"
          )
        ]
      : []),
    slide(
      "HBM bandwidth",
      "hardware.hbm.bandwidth",
      hardware.hbm.bandwidth / 1e9,
      "GB/s",
      [100, 16_000, true],
      "Peak rate of a GPU's memory",
      machine
    ),
    slide(
      "HBM capacity",
      "hardware.hbm.capacity",
      hardware.hbm.capacity / GIB,
      "GiB",
      [8, 512, true],
      "Memory of one GPU",
      machine
    ),
    slide(
      "Link bandwidth",
      "hardware.link.host_to_device",
      hardware.link.hostToDevice / 1e9,
      "GB/s",
      [1, 900, true],
      "Host memory to one GPU, one way: what a large copy reaches",
      machine
    ),
    ...(input?.kind === "fixed"
      ? [
          slide(
            "Context length",
            "workload.input",
            input.tokens,
            "tokens",
            [256, 131_072, true],
            "Tokens of a request's prompt"
          )
        ]
      : []),
    ...(arrivals?.kind === "closed"
      ? [
          slide(
            "Concurrency",
            "workload.arrivals.concurrency",
            arrivals.concurrency,
            "requests",
            [1, 256, true],
            "Requests in flight at all times"
          )
        ]
      : []),
    ...(method?.kind === "vericache"
      ? [
          slide(
            "Keep ratio",
            `${at}.keep`,
            method.compressor.keep,
            "",
            [0.02, 1, false],
            "Bytes of the compressed KV over those of the full KV",
            { basis: method.compressor.origin.basis, source: method.compressor.origin.source }
          ),
          slide(
            "Draft window",
            `${at}.window`,
            method.window.kind === "fixed" ? method.window.tokens : method.window.kind,
            "tokens",
            [1, 120, false],
            "Tokens drafted before each verification; optimal: what the closed forms take for the best"
          ),
          slide(
            "Acceptance α",
            `${at}.acceptance.alpha`,
            method.compressor.acceptance.kind === "iid" ? method.compressor.acceptance.alpha : undefined,
            "",
            [0.5, 0.999, false],
            "Probability that a drafted token agrees with the full KV, independently of the others",
            method.compressor.acceptance.origin
          )
        ]
      : [])
  ]
}
