/** The adapter: what it is, whether it is real hardware, what it can do. */
import { exportButtons } from "../components/download.ts"
import { element } from "../components/element.ts"
import type { EngineResponse } from "../workers/engine-protocol.ts"
import { bytesText } from "./units.ts"

type Adapter = Extract<EngineResponse, { readonly kind: "adapter" }>

const isBytes = (name: string): boolean =>
  name.endsWith("Size") && !/Workgroup|InvocationsPer|Dimension/.test(name)

const limitText = (name: string, value: number): string =>
  isBytes(name) || name === "maxComputeWorkgroupStorageSize" ? bytesText(value) : value.toLocaleString("en")

/** `maxBufferSize` as words: buffer size. */
const words = (name: string): string =>
  name
    .replace(/^max/, "")
    .replaceAll(/([a-z])([A-Z0-9])/g, "$1 $2")
    .toLowerCase()

/** Limits the engine lives by, first. */
const FIRST = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupStorageSize"
]

const rows = (limits: Adapter["limits"], names: readonly string[]): HTMLElement =>
  element(
    "table",
    { class: "limits" },
    element("caption", { class: "hidden" }, "Limits of the adapter"),
    element(
      "tbody",
      {},
      ...names.flatMap((name) => {
        const value = limits[name]
        return value === undefined
          ? []
          : [
              element(
                "tr",
                { title: `${name}, as the adapter reports it`, "data-provenance": "reported" },
                element("th", { scope: "row" }, words(name)),
                element("td", { class: "number" }, limitText(name, value))
              )
            ]
      })
    )
  )

export const kindBadge = (kind: "hardware" | "software"): HTMLElement =>
  kind === "software"
    ? element("span", { class: "badge software" }, "Software adapter")
    : element("span", { class: "badge hardware" }, "Hardware adapter")

/** Features the engine uses where they are there. */
const USED = [
  ["shader-f16", "halves in kernels"],
  ["timestamp-query", "times of passes"],
  ["subgroups", "reductions in registers, on hardware"]
] as const

/** `trust`: what the self-check said. */
export const adapterCard = ({ card, limits }: Adapter, trust: HTMLElement): HTMLElement => {
  const rest = Object.keys(limits)
    .filter((name) => !FIRST.includes(name))
    .toSorted()
  return element(
    "div",
    { class: "adapter" },
    element("p", { class: "name" }, element("strong", {}, card.name), " ", kindBadge(card.kind)),
    element(
      "p",
      { class: "muted small" },
      [card.vendor, card.architecture].filter((one) => one !== "").join(" · ") ||
        "The browser names no vendor."
    ),
    ...(card.kind === "software"
      ? [
          element(
            "p",
            { class: "warning" },
            "It computes on the CPU: its output is right in every bit, its times say nothing about any GPU and calibrate nothing."
          )
        ]
      : []),
    trust,
    element("h3", {}, "Features"),
    element(
      "ul",
      { class: "uses" },
      ...USED.map(([name, what]) =>
        element(
          "li",
          { title: `${name}, as the adapter reports it`, "data-provenance": "reported" },
          element("span", {}, `${name}: ${what}`),
          element("strong", {}, card.features.includes(name) ? "yes" : "no")
        )
      )
    ),
    element(
      "details",
      {},
      element("summary", {}, `All ${card.features.length} features`),
      element("ul", { class: "features" }, ...card.features.map((name) => element("li", {}, name)))
    ),
    element(
      "h3",
      {},
      "Limits ",
      exportButtons({
        name: "adapter-limits",
        table: () => [
          ["limit", "value", "basis"],
          ...Object.entries(limits).map(([name, value]) => [name, value, "reported"])
        ]
      })
    ),
    rows(limits, FIRST),
    element("details", {}, element("summary", {}, `${rest.length} more limits`), rows(limits, rest))
  )
}
