/** Changes that might serve more, each as the page would make it: what is advised is simulated, not argued. */
import type { NamedMethod, Scenario } from "../../scenario/resolved.ts"
import type { Change } from "../shell/page-state.ts"
import { CATALOG } from "./library.ts"

export interface Candidate {
  /** What to do, as in "use a draft window of 32". */
  readonly label: string
  readonly change: Change
}

const WINDOWS = [8, 16, 24, 32, 48, 64]
const SPLITS = [2, 4, 8]
const LINK = 2

/** What to try for a VeriCache method, at `place` among the scenario's; the present setting is not among it. */
export const candidatesFor = (
  { hardware }: Scenario,
  { method }: NamedMethod,
  place: number
): readonly Candidate[] => {
  if (method.kind !== "vericache") return []
  const at = `methods[${place}].vericache`
  const now = method.window.kind === "fixed" ? method.window.tokens : undefined
  return [
    ...WINDOWS.filter((tokens) => tokens !== now).map((tokens) => ({
      label: `use a draft window of ${tokens}`,
      change: { field: `${at}.window`, value: tokens }
    })),
    ...(method.reload === "missing"
      ? []
      : [
          {
            label: "reload only what the compressed copy lacks",
            change: { field: `${at}.reload`, value: "missing" }
          }
        ]),
    ...SPLITS.filter((requests) => requests !== method.fullKvRequests).map((requests) => ({
      label: `keep ${requests} requests on full KV in HBM`,
      change: { field: `${at}.full_kv_requests`, value: requests }
    })),
    ...[...CATALOG.compressors.keys()]
      .filter((name) => name !== method.compressor.name)
      .map((name) => ({
        label: `compress with ${name}`,
        change: { field: `${at}.compressor`, value: name }
      })),
    {
      label: `have a link of ${Number(((hardware.link.hostToDevice * LINK) / 1e9).toPrecision(3))} GB/s`,
      change: {
        field: "hardware.link.host_to_device",
        value: `${(hardware.link.hostToDevice * LINK) / 1e9} GB/s`
      }
    }
  ]
}
