/** The model and the hardware of a scenario: by catalog name, changed, inline, or from a Hugging Face config. */
import type { Schema } from "effect"
import { isRecord, mergeFields } from "../catalog.ts"
import { closest } from "../closest.ts"
import { SourceDocument } from "../document.ts"
import { hardwareOf, modelOf } from "../entries.ts"
import { readText, relativeTo } from "../files.ts"
import { fromHuggingFace, UnsupportedConfig } from "../huggingface.ts"
import type { Hardware, Model } from "../resolved.ts"
import { HardwareFile } from "../schema/hardware.ts"
import { ModelFile } from "../schema/model.ts"
import type { Resolution } from "./resolution.ts"

/** An entry by catalog name, a changed entry, or a whole inline one. */
const resolveEntry = <A>(
  to: Resolution,
  field: "model" | "hardware",
  known: ReadonlyMap<string, A>,
  schema: Schema.Decoder<A>
): A | undefined => {
  const given = to.file[field]
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
  const path = ["model", "config"]
  if (typeof given["config"] !== "string") return to.fault(path, "expected the path of a config.json")
  for (const key of Object.keys(given))
    if (key !== "config" && key !== "name")
      to.fault(["model", key], "unknown field beside config", closest(key, ["config", "name"]))
  const file = relativeTo(to.document.fileOf(path), given["config"])
  const text = readText(file, to.read)
  if (typeof text !== "string") return to.fault(path, `${file} ${text.message}`)
  const config = new SourceDocument(file, text)
  to.faults.push(...config.faults)
  if (!isRecord(config.value)) return undefined
  try {
    return fromHuggingFace(typeof given["name"] === "string" ? given["name"] : file, config.value, file)
  } catch (error) {
    if (!(error instanceof UnsupportedConfig)) throw error
    to.faults.push(config.fault([error.field], error.message))
    return undefined
  }
}

export const resolveHardware = (to: Resolution): Hardware | undefined => {
  const entry = resolveEntry(to, "hardware", to.catalog.hardware, HardwareFile)
  return entry === undefined ? undefined : hardwareOf(entry)
}
