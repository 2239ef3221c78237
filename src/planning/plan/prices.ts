/** What a GPU costs: only what the user, or a sample that says it is one, has put down. */
import { relativeTo, readText, type ReadFile } from "../../scenario/files.ts"
import { SourceDocument } from "../../scenario/document.ts"
import type { Fault } from "../../scenario/fault.ts"
import { type PlanPart, PricesFile } from "./plan-file.ts"

export interface Prices {
  readonly source: string
  readonly date: string
  /** An example to begin with, not what anybody pays. */
  readonly sample: boolean
  readonly currency: string
  /** By name of the hardware. */
  readonly perGpuHour: ReadonlyMap<string, number>
}

/** Prices, and how to tell a fault of one of them where it stands. */
export interface PricesRead {
  readonly prices: Prices
  readonly fault: (hardware: string, message: string, suggestion?: string) => Fault
}

const pricesOf = (file: PricesFile): Prices => ({
  source: file.source,
  date: file.date,
  sample: file.sample ?? false,
  currency: file.currency ?? "USD",
  perGpuHour: new Map(Object.entries(file.per_gpu_hour))
})

/** The prices of a plan: written in it, or in the file it names. */
export const readPrices = (
  given: NonNullable<PlanPart["prices"]>,
  document: SourceDocument,
  read: ReadFile
): PricesRead | { readonly faults: readonly Fault[] } => {
  if (typeof given !== "string")
    return {
      prices: pricesOf(given),
      fault: (hardware, ...words) => document.fault(["prices", "per_gpu_hour", hardware], ...words)
    }
  const file = relativeTo(document.fileOf(["prices"]), given)
  const text = readText(file, read)
  if (typeof text !== "string") return { faults: [document.fault(["prices"], `${file} ${text.message}`)] }
  const priced = new SourceDocument(file, text)
  if (priced.faults.length > 0) return { faults: priced.faults }
  const decoded = priced.decode(PricesFile)
  if ("faults" in decoded) return decoded
  return {
    prices: pricesOf(decoded.value),
    fault: (hardware, ...words) => priced.fault(["per_gpu_hour", hardware], ...words)
  }
}
