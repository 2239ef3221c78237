/** The command palette, which is the list of keys too. */
import type { Commands } from "../shell/commands.ts"
import { element } from "./element.ts"

/** Opens the palette over the page; a command runs after it has closed. */
export const openPalette = (commands: Commands): void => {
  if (document.querySelector("dialog.palette") !== null) return
  const search = element("input", {
    type: "search",
    "aria-label": "Find a command",
    placeholder: "Find a command"
  })
  const list = element("ul", {})
  const dialog = element("dialog", { class: "palette", "aria-label": "Commands and keys" }, search, list)
  const fill = (): void => {
    const wanted = search.value.toLowerCase()
    list.replaceChildren(
      ...commands.all
        .filter(({ name }) => name.toLowerCase().includes(wanted))
        .map(({ name, key, run }) => {
          const button = element("button", { type: "button" }, element("span", {}, name))
          if (key !== undefined) button.append(element("kbd", {}, key))
          button.addEventListener("click", () => {
            dialog.close()
            run()
          })
          return element("li", {}, button)
        })
    )
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
