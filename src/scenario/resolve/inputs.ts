/** The model and the hardware of a scenario: by catalog name, changed, inline, or from a Hugging Face config. */
import type { Schema } from "effect"
import { isRecord, mergeFields } from "../catalog.ts"
import { closest } from "../closest.ts"
import { SourceDocument } from "../document.ts"
import { amount, hardwareOf, modelOf } from "../entries.ts"
import { fromHuggingFace } from "../huggingface.ts"
import type { Hardware, Model } from "../resolved.ts"
import { HardwareFile } from "../schema/hardware.ts"
import { ConfigModelFile, ModelFile } from "../schema/model.ts"
import type { Resolution } from "./resolution.ts"

/** An entry by catalog name, a changed entry, or a whole inline one. */
const resolveEntry = <A>(
  to: Resolution,
  field: "model" | "hardware",
  known: ReadonlyMap<string, A>,
  schema: Schema.Decoder<A>
): A | undefined => {
  const given = to.file[field]
  if (given === undefined) return undefined
  const name = typeof given === "string" ? given : given["extends"]
  const nameText = typeof name === "string" ? name : JSON.stringify(name)
  if (name !== undefined && (typeof name !== "string" || !known.has(name))) {
    return to.fault(
      typeof given === "string" ? [field] : [field, "extends"],
      `no ${nameText} in the catalog`,
      closest(nameText, [...known.keys()])
    )
  }
  const base = name === undefined ? undefined : known.get(name)
  if (typeof given === "string") return base
  const value = base === undefined ? given : mergeFields(base, given)
  const decoded = to.document.decode(schema, value, [field])
  if ("value" in decoded) return decoded.value
  to.faults.push(...decoded.faults)
  return undefined
}

export const resolveModel = (to: Resolution): Model | undefined => {
  const given = to.file.model
  if (typeof given === "object" && given["config"] !== undefined) return modelOfConfig(to, given)
  const entry = resolveEntry(to, "model", to.catalog.models, ModelFile)
  return entry === undefined ? undefined : modelOf(entry)
}

const modelOfConfig = (to: Resolution, given: Readonly<Record<string, unknown>>): Model | undefined => {
  const decoded = to.document.decode(ConfigModelFile, given, ["model"])
  if ("faults" in decoded) {
    to.faults.push(...decoded.faults)
    return undefined
  }
  const use = decoded.value
  const named = to.textOf(["model", "config"], use.config)
  if (named === undefined) return undefined
  const config = new SourceDocument(named.file, named.text)
  to.faults.push(...config.faults)
  if (!isRecord(config.value)) return undefined
  const read = fromHuggingFace(use.name ?? named.file, config.value, named.file)
  if ("faults" in read) {
    to.faults.push(...read.faults.map(({ path, message }) => config.fault(path, message)))
    return undefined
  }
  return {
    ...read.model,
    ...(use.weight_bits === undefined ? {} : { weightBytesPerParam: use.weight_bits / 8 }),
    ...(use.kv_cache_bits === undefined ? {} : { kvBytesPerElement: use.kv_cache_bits / 8 }),
    ...(use.weight_bytes === undefined ? {} : { weightBytes: amount(use.weight_bytes, "bytes") }),
    ...(use.kv_bytes_per_token === undefined
      ? {}
      : { kvBytesPerToken: amount(use.kv_bytes_per_token, "bytes") })
  }
}

/** Hardware in a file of its own, which may change a catalog entry; other fields beside `profile` change it once more. */
const hardwareOfProfile = (
  to: Resolution,
  { profile, ...changes }: Readonly<Record<string, unknown>>
): Hardware | undefined => {
  const path = ["hardware", "profile"]
  if (typeof profile !== "string" || profile === "")
    return to.fault(path, "expected the path of a hardware file")
  const named = to.textOf(path, profile)
  if (named === undefined) return undefined
  const document = new SourceDocument(named.file, named.text)
  to.faults.push(...document.faults)
  if (document.faults.length > 0 || !isRecord(document.value)) return undefined
  const { extends: parent, ...own } = document.value
  const base = typeof parent === "string" ? to.catalog.hardware.get(parent) : undefined
  if (parent !== undefined && base === undefined) {
    const name = typeof parent === "string" ? parent : JSON.stringify(parent)
    const nearest = closest(name, [...to.catalog.hardware.keys()])
    to.faults.push(document.fault(["extends"], `no ${name} in the catalog`, nearest))
    return undefined
  }
  const decoded = document.decode(HardwareFile, mergeFields(mergeFields(base ?? {}, own), changes))
  if ("value" in decoded) return hardwareOf(decoded.value)
  to.faults.push(...decoded.faults)
  return undefined
}

export const resolveHardware = (to: Resolution): Hardware | undefined => {
  const given = to.file.hardware
  if (typeof given === "object" && given["profile"] !== undefined) return hardwareOfProfile(to, given)
  const entry = resolveEntry(to, "hardware", to.catalog.hardware, HardwareFile)
  return entry === undefined ? undefined : hardwareOf(entry)
}
