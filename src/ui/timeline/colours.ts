/** Hues of what slices stand for, after Okabe and Ito; the label and the panel say the same in words. */
import type { EventKind } from "../../trace/recorder.ts"

const HUES: Partial<Readonly<Record<EventKind, string>>> = {
  prefill: "#56b4e9",
  decode: "#0072b2",
  draft: "#e69f00",
  verify: "#009e73",
  reload: "#cc79a7",
  save: "#8c6bb1",
  fetch: "#0072b2",
  stream: "#56b4e9",
  stalled: "#d55e00",
  fault: "#d55e00"
}
const OTHER = "#8a8f98"

export const hueOf = (kind: EventKind): string => HUES[kind] ?? OTHER
