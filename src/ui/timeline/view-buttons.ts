/** Which way a trace is looked at: along time, or its rounds laid over each other. */
import { element } from "../components/element.ts"

/** `set`: changes of the address. */
export const viewButtons = (
  shown: "time" | "rounds",
  set: (changes: Readonly<Record<string, string | undefined>>) => void
): HTMLElement => {
  const button = (name: string, pressed: boolean, rounds: string | undefined): HTMLButtonElement => {
    const made = element("button", { type: "button", "aria-pressed": String(pressed) }, name)
    made.addEventListener("click", () => set({ rounds, cycle: undefined }))
    return made
  }
  return element(
    "span",
    { class: "switch", role: "group", "aria-label": "View" },
    button("Time", shown === "time", undefined),
    button("Rounds", shown === "rounds", "all")
  )
}
