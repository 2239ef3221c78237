/** The command palette, which is the list of keys too: what the screen offers, what it shows to press or fill in, and where else to go. */
import { element } from "../components/element.ts"
import type { Command, Commands } from "./commands.ts"
import { matches } from "./palette-match.ts"
import { controlsOn } from "./screen-controls.ts"

interface Group {
  readonly title: string
  readonly commands: readonly Command[]
}

/** Opens the palette over the page; a command runs after it has closed. `host`: the screen. */
export const openPalette = (commands: Commands, host: HTMLElement): void => {
  if (document.querySelector("dialog.palette") !== null) return
  const groups: readonly Group[] = [
    { title: "Here", commands: commands.screen },
    { title: "On this page", commands: controlsOn(host) },
    { title: "Everywhere", commands: commands.everywhere }
  ]
  const search = element("input", {
    type: "search",
    "aria-label": "Find a command",
    placeholder: "Find a command"
  })
  const list = element("div", { class: "groups" })
  const count = element("p", { class: "muted small", role: "status" })
  const dialog = element(
    "dialog",
    { class: "palette", "aria-label": "Commands and keys" },
    search,
    list,
    count
  )
  const button = ({ name, key, run }: Command): HTMLElement => {
    const made = element("button", { type: "button" }, element("span", {}, name))
    if (key !== undefined) made.append(element("kbd", {}, KEY_NAMES[key] ?? key))
    made.addEventListener("click", () => {
      dialog.close()
      run()
    })
    return element("li", {}, made)
  }
  const fill = (): void => {
    const found = groups
      .map(({ title, commands: all }) => ({ title, commands: matches(all, search.value) }))
      .filter((group) => group.commands.length > 0)
    list.replaceChildren(
      ...found.map((group) =>
        element(
          "section",
          { "aria-label": group.title },
          element("h2", { class: "muted" }, group.title),
          element("ul", {}, ...group.commands.map(button))
        )
      )
    )
    const total = found.reduce((sum, group) => sum + group.commands.length, 0)
    count.textContent = total === 0 ? `No command has “${search.value}” in its name.` : ""
  }
  search.addEventListener("input", fill)
  dialog.addEventListener("keydown", (event) => {
    const buttons = [...list.querySelectorAll("button")]
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement)
    if (event.key === "ArrowDown") buttons[Math.min(at + 1, buttons.length - 1)]?.focus()
    else if (event.key === "ArrowUp") (at <= 0 ? search : buttons[at - 1])?.focus()
    else if (event.key === "Enter" && document.activeElement === search) buttons[0]?.click()
    else return
    event.preventDefault()
  })
  dialog.addEventListener("close", () => dialog.remove())
  fill()
  document.body.append(dialog)
  dialog.showModal()
}

const KEY_NAMES: Readonly<Record<string, string>> = {
  ArrowLeft: "Left",
  ArrowRight: "Right",
  ArrowUp: "Up",
  ArrowDown: "Down",
  Escape: "Esc"
}
