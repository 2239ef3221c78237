/** What a screen shows to press or to fill in, as commands: so the palette reaches everything there is. */
import type { Command } from "./commands.ts"

const PRESSED = "button, summary, a[href]"
const FILLED = "input, select, textarea"

export const controlsOn = (host: HTMLElement): readonly Command[] => {
  const commands = new Map<string, Command>()
  for (const control of host.querySelectorAll<HTMLElement>(`${PRESSED}, ${FILLED}`)) {
    const name = nameOf(control)
    if (name === "" || control.matches(":disabled") || !control.checkVisibility()) continue
    const fill = control.matches(FILLED)
    const title = fill ? `Set: ${name}` : name
    // The first of several that are called the same.
    if (commands.has(title)) continue
    commands.set(title, { name: title, run: () => (fill ? control.focus() : control.click()) })
  }
  return [...commands.values()]
}

/** What a screen reader would call it, as far as our pages go. */
const nameOf = (control: HTMLElement): string => {
  const label = control.getAttribute("aria-label")
  const labels = (control as HTMLInputElement).labels as NodeListOf<HTMLLabelElement> | null | undefined
  const text = label ?? (control.matches(FILLED) ? labels?.[0]?.textContent : control.textContent) ?? ""
  return text.replaceAll(/\s+/g, " ").trim().slice(0, 80)
}
