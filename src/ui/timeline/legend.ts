/** What the colours and patterns of the rows mean. */
import { EVENT_KINDS } from "../../trace/recorder.ts"
import { element } from "../components/element.ts"
import { hueOf } from "./colours.ts"
import { DEFINITIONS } from "./hover.ts"
import type { TimelineModel } from "./model.ts"

const swatch = (look: string, style = ""): HTMLElement =>
  element("span", { class: `swatch ${look}`, "aria-hidden": "true", style })

/** The kinds of slices there are, each with its colour, then the patterns. */
export const legend = ({ rows }: TimelineModel): HTMLElement => {
  const kinds = new Set<number>()
  for (const row of rows) if (row.type === "slices") for (const kind of row.kind) kinds.add(kind)
  const has = (test: (row: TimelineModel["rows"][number]) => boolean): boolean => rows.some(test)
  const one = (mark: HTMLElement, words: string, title?: string): HTMLElement =>
    element("span", { title }, mark, words)
  return element(
    "p",
    { class: "legend" },
    ...EVENT_KINDS.flatMap((kind, index) =>
      kinds.has(index) ? [one(swatch("", `background:${hueOf(kind)}`), kind, DEFINITIONS[kind])] : []
    ),
    ...(has((row) => row.type === "slices" && (row.exposed?.start.length ?? 0) > 0)
      ? [one(swatch("exposed"), "exposed transfer", "a transfer while no pass ran; hidden ones are pale")]
      : []),
    ...(kinds.has(EVENT_KINDS.indexOf("verify"))
      ? [
          one(swatch("accepted"), "accepted tokens", "drafted tokens the full model would have said too"),
          one(swatch("corrected"), "corrected", "tokens of the full model itself"),
          one(swatch("rejected"), "rejected", "drafted tokens that were thrown away")
        ]
      : []),
    one(swatch("measured"), "measured"),
    one(swatch("modelled"), "modelled")
  )
}
