/** Light or dark: the system's choice until somebody makes another; that one is kept. */
import { element } from "../components/element.ts"

const KEY = "vericache-theme"

/** Storage may be forbidden; the choice then lasts as long as the page. */
const kept = (): string | undefined => {
  try {
    return localStorage.getItem(KEY) ?? undefined
  } catch {
    return undefined
  }
}
const keep = (theme: string): void => {
  try {
    localStorage.setItem(KEY, theme)
  } catch {
    // Nothing is lost but the memory of it.
  }
}

export const themeButton = (): HTMLButtonElement => {
  const root = document.documentElement
  const dark = matchMedia("(prefers-color-scheme: dark)")
  const button = element("button", { type: "button", id: "theme" })
  const apply = (theme: string): void => {
    root.dataset["theme"] = theme
    button.textContent = theme === "dark" ? "Light" : "Dark"
    button.title = `Switch to the ${theme === "dark" ? "light" : "dark"} theme`
  }
  apply(kept() ?? (dark.matches ? "dark" : "light"))
  dark.addEventListener("change", () => {
    if (kept() === undefined) apply(dark.matches ? "dark" : "light")
  })
  button.addEventListener("click", () => {
    const next = root.dataset["theme"] === "dark" ? "light" : "dark"
    keep(next)
    apply(next)
  })
  return button
}
